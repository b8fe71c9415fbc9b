"""Fully connected networks with hand-written derivatives.

    a_0 = x,   z_l = c_l (W_l a_{l−1}) + g b_l,   a_l = s σ(z_l),   h = z_{L+1}

`scaling` chooses the c_l: `plain` all 1; `ntk` 1/√fan-in; `mean_field` as `ntk` with 1/m
for 1/√m at the output. A bias b_l is the last column of its weight matrix and enters times
the bias gain g. s is 1, or makes E (s σ(z))² = 1 for z ~ N(0, 1).

Inside, points stand in columns: the layers of many lanes (networks of one shape, stacked
along a first axis) over the same points are then one matrix product.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from lazycore import activations
from lazycore.config import spec
from lazycore.config.spec import Values
from lazycore.engine.features.linearize import Layered
from lazycore.engine.networks.displaced import Displaced, Passed
from lazycore.engine.networks.network import Block, Network
from lazycore.engine.networks.one_hidden_layer import largest_second_derivative
from lazycore.engine.networks.symmetrized import Symmetrized
from lazycore.machine.blas import product
from lazycore.machine.once import once


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

    @once
    def _blocks(self) -> tuple[Block, ...]:
        blocks, start = [], 0
        for number, (i, o) in enumerate(zip(self.sizes, self.sizes[1:], strict=False), start=1):
            name = "output layer" if number == len(self.gains) else f"layer {number}"
            blocks.append(Block(name, (o, i + (self.bias_gain is not None)), start))
            start = blocks[-1].slice.stop
        return tuple(blocks)

    structured = True
    stacked = True

    @property
    def smooth(self) -> bool:
        """Whether the activation is."""
        return self.activation.SPEC.facts["smooth"]

    @property
    def degree(self) -> int | None:
        """The number of layers where σ is homogeneous and nothing is added."""
        homogeneous = self.activation.SPEC.facts.get("homogeneous", False)
        return len(self.gains) if homogeneous and self.bias_gain is None else None

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
        return self._forward(self.matrices(w), x).outputs

    def pullback(self, w: Tensor, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return h(w, x) and r → Dhᵀ r; the forward pass is shared."""
        weights = self.matrices(w)
        passed = self._forward(weights, x, with_slopes=True)
        return passed.outputs, lambda r: self.pull(weights, passed, r)

    def displaced(self, w0: Tensor, x: Tensor) -> Displaced:
        """Return dw → h(w0 + dw, x) − h(w0, x), free of cancellation."""
        weights, before = self.matrices(w0), Passed()
        self._forward(weights, x, keep=before)
        return Displaced(self, weights, before)

    def features(self, w: Tensor, x: Tensor) -> Layered:
        """Return the tangent features, activations and backpropagated signals per layer."""
        weights = self.matrices(w)
        passed = self._forward(weights, x, with_slopes=True)
        k = self.sizes[-1]
        signal = torch.eye(k, dtype=x.dtype, device=x.device)[:, :, None].expand(k, k, len(x))
        factors = []
        for number in reversed(range(len(self.gains))):
            inputs = self._with_bias(number, passed.inputs[number].mT)
            inputs = self._times_gain(number, inputs).contiguous()
            factors.append((inputs, signal.permute(2, 0, 1).contiguous()))
            if number:
                back = product(self.without_bias(weights[number]).mT, signal)
                back = self._times_gain(number, back)
                signal = back.mul_(passed.slopes[number - 1])
        return Layered(tuple(factors[::-1]), tuple(block.layer for block in self.blocks))

    def observe(self, w: Tensor, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return h(w, x), and z_l of the hidden layers, (n, m) each."""
        passed = Passed()
        self._forward(self.matrices(w), x, keep=passed)
        return passed.outputs, [z.mT for z in passed.preactivations]

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

        Cost: that of `one_hidden_layer.largest_second_derivative`.
        """
        if not self.smooth or len(self.sizes) != 3 or self.sizes[-1] != 1:
            return None
        inputs = self._times_gain(0, self._with_bias(0, x)) / len(x) ** 0.5
        z = self.affine(0, self._matrix(w, 0), x.mT).mT.requires_grad_()
        scale = self.gains[1] * self.activation_scale
        slope = scale * self.activation.slope(z, self.values)
        # The slope of a linear activation is a constant, which has no gradient.
        bend = torch.autograd.grad(slope.sum(), z)[0] if slope.requires_grad else z.detach() * 0.0
        bend = bend * self._matrix(w, 1)[0, : self.sizes[1]]
        # s² carries 1/n, and one 1/√n belongs to the norm.
        return largest_second_derivative(inputs, slope.detach(), bend * len(x) ** 0.5)

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
        norm = torch.linalg.vector_norm(self._with_bias(0, x), dim=1) * self.gains[0]
        largest = float(self._matrix(w, 1)[0, : self.sizes[1]].abs().max()) + radius
        per_point = scale * (slope * norm + largest * curvature * norm.square())
        return float(per_point.square().mean().sqrt())

    def _forward(
        self,
        weights: list[Tensor],
        x: Tensor,
        with_slopes: bool = False,
        keep: Passed | None = None,
    ) -> Passed:
        """Return what passed through the network; into `keep` go the z_l as well."""
        passed, a = keep or Passed(), x.mT
        for number, weight in enumerate(weights):
            passed.inputs.append(a)
            z = self.affine(number, weight, a)
            if number == len(weights) - 1:
                passed.outputs = z.mT
            elif with_slopes:
                a, slope = activations.both(self.activation, z, self.values)
                a = self.times_scale(a)
                passed.slopes.append(self.times_scale(slope))
            else:
                a = self.times_scale(self.activation.sigma(z, self.values))
                if keep is not None:
                    passed.preactivations.append(z)
        return passed

    def pull(self, weights: list[Tensor], passed: Passed, r: Tensor) -> Tensor:
        """Return Dhᵀ r, layer by layer from the last.

        Behind a single output the signal is r times that output's weights, unit by unit:
        the weights are left out of it and multiplied onto the smaller products.
        """
        gradients, signal, units = [], r.mT, None
        for number in reversed(range(len(weights))):
            signal = self._times_gain(number, signal)
            gradient = product(signal, passed.inputs[number].mT)
            if self.bias_gain is not None:
                biases = signal.sum(-1, keepdim=True) * (self.bias_gain / self.gains[number])
                gradient = torch.cat([gradient, biases], dim=-1)
            gradients.append((gradient if units is None else gradient.mul_(units)).flatten(-2))
            if number:
                weight = self.without_bias(weights[number])
                back = (weight if units is None else units * weight).mT
                if weight.shape[-2] == 1:
                    signal, units = passed.slopes[number - 1] * signal, back
                else:
                    signal, units = product(back, signal).mul_(passed.slopes[number - 1]), None
        return torch.cat(gradients[::-1], dim=-1)

    def affine(self, number: int, weight: Tensor, a: Tensor) -> Tensor:
        """Return c_l W_l a + g b_l for a matrix (W_l, b_l)."""
        z = product(self.without_bias(weight), a)
        if self.gains[number] != 1.0:
            z = z.mul_(self.gains[number])
        return z if self.bias_gain is None else z.add_(weight[..., -1:] * self.bias_gain)

    def times_scale(self, a: Tensor) -> Tensor:
        """Return s a."""
        return a if self.activation_scale == 1.0 else a * self.activation_scale

    def _with_bias(self, number: int, a: Tensor) -> Tensor:
        """Return a_{l−1} of points in rows, with g/c_l as a last column where there are biases."""
        if self.bias_gain is None:
            return a
        return torch.cat([a, a.new_full((len(a), 1), self.bias_gain / self.gains[number])], dim=1)

    def _matrix(self, w: Tensor, number: int) -> Tensor:
        block = self.blocks[number]
        return w[..., block.slice].unflatten(-1, block.shape)

    def matrices(self, w: Tensor) -> list[Tensor]:
        """Return (W_l, b_l) of every layer, (…, out, in) or (…, out, in + 1)."""
        return [self._matrix(w, number) for number in range(len(self.gains))]

    def without_bias(self, weight: Tensor) -> Tensor:
        """Return W_l of (W_l, b_l)."""
        return weight if self.bias_gain is None else weight[..., :-1]

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
