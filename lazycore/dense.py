"""Fully connected networks with hand-written derivatives.

    a_0 = x,   z_l = c_l (W_l a_{l−1}) + g b_l,   a_l = s σ(z_l),   h = z_{L+1}

`scaling` chooses the c_l: `plain` all 1; `ntk` 1/√fan-in; `mean_field` as `ntk` with 1/m
for 1/√m at the output. A bias b_l is the last column of its weight matrix and enters times
the bias gain g. s is 1, or makes E (s σ(z))² = 1 for z ~ N(0, 1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from lazycore import spec
from lazycore.linearize import Layered
from lazycore.network import Block, Network, Symmetrized
from lazycore.spec import Values

STARTS = 4
"""Directions from which each neuron's second derivative is climbed."""


@dataclass(frozen=True)
class Dense:
    """One fully connected network; see the module for the formula.

    sizes: (d, m, …, m, k). gains: c_l per layer. bias_gain: None for no biases.
    """

    sizes: tuple[int, ...]
    gains: tuple[float, ...]
    bias_gain: float | None
    bias_at_zero: bool
    init_scale: float
    activation: ModuleType
    activation_scale: float
    values: Values

    @property
    def blocks(self) -> tuple[Block, ...]:
        """One block per layer, (out, in) or (out, in + 1) with the bias last."""
        return self._blocks

    @cached_property
    def _blocks(self) -> tuple[Block, ...]:
        blocks, start = [], 0
        for number, (i, o) in enumerate(zip(self.sizes, self.sizes[1:], strict=False), start=1):
            name = "output layer" if number == len(self.gains) else f"layer {number}"
            blocks.append(Block(name, (o, i + (self.bias_gain is not None)), start))
            start = blocks[-1].slice.stop
        return tuple(blocks)

    structured = True

    @property
    def smooth(self) -> bool:
        """Whether the activation is."""
        return self.activation.SPEC.facts["smooth"]

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Return weights (and biases, unless they start at 0) from N(0, τ²)."""
        parts = []
        for block in self.blocks:
            w = rng.standard_normal(block.shape)
            if self.bias_gain is not None and self.bias_at_zero:
                w[:, -1] = 0.0
            parts.append(self.init_scale * w.ravel())
        return np.concatenate(parts)

    def __call__(self, w: Tensor, x: Tensor) -> Tensor:
        """Return h(w, x)."""
        return self._forward(self._scaled(w), x)[0]

    def pullback(self, w: Tensor, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return h(w, x) and r → Dhᵀ r; the forward pass is shared."""
        weights = self._scaled(w)
        outputs, inputs, slopes = self._forward(weights, x, with_slopes=True)

        def pull(r: Tensor) -> Tensor:
            gradients, signal = [], r
            for number in reversed(range(len(self.gains))):
                gradient = signal.T @ inputs[number]
                gradients.append(self._times_gain(number, gradient).reshape(-1))
                if number:
                    back = self._without_bias(weights[number], number)
                    signal = (signal @ back).mul_(slopes[number - 1])
            return torch.cat(gradients[::-1])

        return outputs, pull

    def features(self, w: Tensor, x: Tensor) -> Layered:
        """Return the tangent features, activations and backpropagated signals per layer."""
        weights = self._scaled(w)
        _, inputs, slopes = self._forward(weights, x, with_slopes=True)
        k = self.sizes[-1]
        signal = torch.eye(k, dtype=x.dtype, device=x.device).expand(len(x), k, k)
        factors = []
        for number in reversed(range(len(self.gains))):
            factors.append((self._times_gain(number, inputs[number]), signal))
            if number:
                back = self._without_bias(weights[number], number)
                signal = (signal @ back).mul_(slopes[number - 1][:, None, :])
        return Layered(tuple(factors[::-1]))

    def preactivations(self, w: Tensor, x: Tensor) -> list[Tensor]:
        """Return z_l of the hidden layers, (n, m) each."""
        zs, a = [], x
        for number, weight in enumerate(self._scaled(w)[:-1]):
            zs.append(self._input(number, a) @ weight.T)
            a = self._sigma(zs[-1])
        return zs

    def neurons(self, w: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return |a_j| b_j and sign a_j, the biases left out, for one hidden layer and k = 1."""
        if len(self.sizes) != 3 or self.sizes[-1] != 1:
            return None
        b = self._matrix(w, 0)[:, : self.sizes[0]]
        a = self._matrix(w, 1)[0, : self.sizes[1]]
        return a.abs()[:, None] * b, a.sign()

    def second_derivative_norm(self, w: Tensor, x: Tensor) -> float | None:
        r"""Return sup ‖D²h(u, u)‖ over ‖u‖ = 1 for one hidden layer and k = 1, from below.

            D²h(u, u)(x_i) = C Σ_j (2 α_j σ'(z_ij) s_ij + a_j σ''(z_ij) s_ij²),  s_ij = ω_j·x̃_i

        For a fixed output direction the form is block diagonal in the neurons, so its
        maximiser u = (α, ω) lives on one of them: all neurons are tried at once, each by
        alternating between the best output direction and one power step.

        Cost: 50 · STARTS passes of the network, whatever its width.
        """
        if not self.smooth or len(self.sizes) != 3 or self.sizes[-1] != 1:
            return None
        inputs = self._times_gain(0, self._input(0, x)) / len(x) ** 0.5
        z = (self._input(0, x) @ self._scaled(w)[0].T).requires_grad_()
        scale = self.gains[1] * self.activation_scale
        slope = scale * self.activation.slope(z, self.values)
        # The slope of a linear activation is a constant, which has no gradient.
        bend = torch.autograd.grad(slope.sum(), z)[0] if slope.requires_grad else z.detach() * 0.0
        bend = bend * self._matrix(w, 1)[0, : self.sizes[1]]
        bend = bend * len(x) ** 0.5  # s² carries 1/n, and one 1/√n belongs to the norm
        # A single start ends in a local maximum: up to 47 % too low on networks of three units.
        slope, bend = slope.detach().repeat(1, STARTS), bend.repeat(1, STARTS)
        draws = np.random.default_rng(0).standard_normal((bend.shape[1], inputs.shape[1]))
        a, omega = torch.ones_like(bend[0]), torch.as_tensor(draws).to(inputs)
        best = 0.0
        for _ in range(50):
            norm = (a.square() + omega.square().sum(1)).sqrt()
            a, omega = a / norm, omega / norm[:, None]
            s = inputs @ omega.T
            q = 2.0 * a * slope * s + bend * s.square()
            size = torch.linalg.vector_norm(q, dim=0)
            value = float(size.max())
            if value <= best * (1.0 + 1e-9):
                break
            best = max(best, value)
            q = q / size.clamp(min=torch.finfo(q.dtype).tiny)
            pull = q * (a * slope + bend * s)
            a, omega = (q * slope * s).sum(0), pull.T @ inputs
        return best

    def second_derivative_bound(self, w: Tensor, x: Tensor, radius: float) -> float | None:
        r"""Return sup ‖D²h‖ over ‖w' − w‖ ≤ radius, from above, for one hidden layer and k = 1.

            D²h(u, u) = C Σ_j (2 α_j σ'(z_j) ω_j·x̃ + a_j σ''(z_j) (ω_j·x̃)²),  u = (α, ω),

        so |D²h(u, u)| ≤ C (‖x̃‖ sup|σ'| + max_j |a_j| ‖x̃‖² sup|σ''|) for ‖u‖ = 1, where x̃
        is the scaled input with its bias entry. None when σ is not smooth.
        """
        bounds = self.activation.bounds(self.values)
        if bounds is None or len(self.sizes) != 3 or self.sizes[-1] != 1:
            return None
        slope, curvature = bounds
        scale = self.gains[1] * self.activation_scale
        norm = torch.linalg.vector_norm(self._input(0, x), dim=1) * self.gains[0]
        largest = float(self._matrix(w, 1)[0, : self.sizes[1]].abs().max()) + radius
        per_point = scale * (slope * norm + largest * curvature * norm.square())
        return float(per_point.square().mean().sqrt())

    def _forward(
        self, weights: list[Tensor], x: Tensor, with_slopes: bool = False
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Return h, the bias-extended inputs of every layer, and s σ'(z_l)."""
        inputs, slopes, a = [], [], x
        last = len(self.gains) - 1
        for number in range(last + 1):
            inputs.append(self._input(number, a))
            z = inputs[-1] @ weights[number].T
            if number == last:
                return z, inputs, slopes
            if with_slopes:
                slope = self.activation.slope(z, self.values)
                scale = self.activation_scale
                slopes.append(slope if scale == 1.0 else slope * scale)
            a = self._sigma(z)
        raise AssertionError("a network has an output layer")

    def _sigma(self, z: Tensor) -> Tensor:
        a = self.activation.sigma(z, self.values)
        return a if self.activation_scale == 1.0 else a * self.activation_scale

    def _input(self, number: int, a: Tensor) -> Tensor:
        """Return a_{l−1}, with g/c_l as a last column where there are biases."""
        if self.bias_gain is None:
            return a
        return torch.cat([a, a.new_full((len(a), 1), self.bias_gain / self.gains[number])], dim=1)

    def _matrix(self, w: Tensor, number: int) -> Tensor:
        block = self.blocks[number]
        return w[block.slice].view(block.shape)

    def _scaled(self, w: Tensor) -> list[Tensor]:
        """Return c_l (W_l, b_l) per layer: the gain goes on the weights, which are fewer."""
        return [self._times_gain(l, self._matrix(w, l)) for l in range(len(self.gains))]

    def _without_bias(self, weight: Tensor, number: int) -> Tensor:
        """Return c_l W_l, which is ∂z_l/∂a_{l−1}."""
        return weight if self.bias_gain is None else weight[:, : self.sizes[number]]

    def _times_gain(self, number: int, values: Tensor) -> Tensor:
        return values if self.gains[number] == 1.0 else values * self.gains[number]


def build_dense(values: Values, *, hidden: int, d: int, k: int) -> Network:
    """Return the network of these resolved fields, as a pair of copies where symmetrised."""
    symmetrized = values["zero_output"] == "symmetrized"
    width = values["width"] // 2 if symmetrized else values["width"]
    sizes = (d, *[width] * hidden, k)
    activation = spec.find("activation", values["activation"])
    network = Dense(
        sizes=sizes,
        gains=_gains(values["scaling"], sizes, values["width"]),
        bias_gain=values["bias_gain"] if values["bias"] != "none" else None,
        bias_at_zero=values["bias"] == "zero",
        init_scale=values["init_scale"],
        activation=activation,
        activation_scale=unit_gain(activation, values)
        if values["activation_gain"] == "unit"
        else 1.0,
        values=values,
    )
    return Symmetrized(network) if symmetrized else network


def _gains(scaling: str, sizes: tuple[int, ...], full_width: int) -> tuple[float, ...]:
    """Return c_l per layer; behind a hidden layer the fan-in is the full width of both copies."""
    if scaling == "plain":
        return (1.0,) * (len(sizes) - 1)
    hidden = 1.0 / full_width**0.5
    output = 1.0 / full_width if scaling == "mean_field" else hidden
    return (1.0 / sizes[0] ** 0.5, *[hidden] * (len(sizes) - 3), output)


def unit_gain(activation: ModuleType, values: Values) -> float:
    """Return s with E (s σ(z))² = 1 for z ~ N(0, 1), to about 1e-9.

    The trapezoidal rule on a fine grid that has a node at 0, where a kink may lie; for
    smooth σ it converges faster than any power of the spacing.
    """
    z = torch.linspace(-12.0, 12.0, 48_001, dtype=torch.float64)
    density = torch.exp(-0.5 * z.square()) / (2.0 * torch.pi) ** 0.5
    moment = torch.trapezoid(activation.sigma(z, values).square() * density, z)
    return float(moment.rsqrt())
