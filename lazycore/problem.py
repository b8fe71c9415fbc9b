"""A training problem with every scale in its place, ready for any dynamics.

With F_α(w) = R(α h(w))/α² (Chizat, Oyallon & Bach 2019, arXiv:1812.07956, §2.1) the weights
move by O(1/α). We integrate v = α (w − w0) instead, which moves by O(1):

    v' = −D_w h(w0 + v/α)ᵀ ∇R(α h(w0 + v/α))          the network
    v̄' = −D_w h(w0)ᵀ ∇R(α h(w0) + D_w h(w0) v̄)        its linearisation

One gradient-descent step of size η on F_α is one step of size η here, whatever α.
"""

from dataclasses import dataclass
from functools import cached_property
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from lazycore import spec
from lazycore.linearize import Features
from lazycore.network import Network
from lazycore.spec import Values
from lazycore.targets import dataset


@dataclass(frozen=True, eq=False)
class Points:
    """A set of points and the model's outputs there; y is None where there are no targets."""

    network: Network
    w0: Tensor
    alpha: float
    centered: bool
    x: Tensor
    y: Tensor | None

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def offset(self) -> Tensor:
        """What is subtracted from the network: h(w0, x) for a centred model, else 0."""
        h0 = self.network(self.w0, self.x)
        return h0 if self.centered else torch.zeros_like(h0)

    @cached_property
    def start(self) -> Tensor:
        """α h(w0, x): the output at time 0 of both models, (n, k)."""
        return self.alpha * (self.network(self.w0, self.x) - self.offset)

    @cached_property
    def features(self) -> Features:
        """The tangent features D_w h(w0, x)."""
        return self.network.features(self.w0, self.x)

    def weights(self, v: Tensor) -> Tensor:
        """Return w = w0 + v/α."""
        return self.w0 + v / self.alpha

    def outputs(self, v: Tensor) -> Tensor:
        """Return α h(w0 + v/α, x), (n, k)."""
        return self.alpha * (self.network(self.weights(v), self.x) - self.offset)

    def tangent_outputs(self, v: Tensor) -> Tensor:
        """Return α h̄(w0 + v/α, x) = α h(w0) + J v, (n, k)."""
        return self.start + self.features.apply(v)


@dataclass(frozen=True, eq=False)
class Problem:
    """What is trained: a network from its initial weights, on points, under a loss.

    classes: 0 for real targets, 2 for ±1, else the number of classes.
    """

    train: Points
    test: Points | None
    loss: ModuleType
    classes: int

    @property
    def network(self) -> Network:
        """The network, before scaling and centring."""
        return self.train.network

    @property
    def w0(self) -> Tensor:
        """Initial weights (p,)."""
        return self.train.w0

    @property
    def alpha(self) -> float:
        """The output scale α."""
        return self.train.alpha

    @property
    def targets(self) -> Tensor:
        """Training targets (n, k)."""
        assert self.train.y is not None
        return self.train.y

    def residual(self, outputs: Tensor) -> Tensor:
        """Return ∇R at these training outputs: ℓ'(f_i, y_i)/n, (n, k)."""
        return self.loss.gradient(outputs, self.targets) / len(self.train)

    def gradient(self, v: Tensor, batch: Tensor | None = None) -> Tensor:
        """Return Dhᵀ ∇R(α h) at w0 + v/α: minus the velocity of v. (p,)

        batch: indices of the points to average over; all of them when None.
        """
        x, y, offset = self.train.x, self.targets, self.train.offset
        if batch is not None:
            x, y, offset = x[batch], y[batch], offset[batch]
        h, pull = self.network.pullback(self.train.weights(v), x)
        return pull(self.loss.gradient(self.alpha * (h - offset), y) / len(x))

    def second_points(self, x: Tensor) -> Points:
        """Return other points, without targets, for the same network (a grid to draw on)."""
        train = self.train
        return Points(train.network, train.w0, train.alpha, train.centered, x, None)

    @cached_property
    def largest_eigenvalue(self) -> float:
        """λ_max of the tangent kernel Θ₀/n: the square of ‖Dh(w0)‖ in L²(ρ̂).

        By power iteration on JᵀJ/n until it moves by less than 1e-10, from a fixed start.
        """
        rng = np.random.default_rng(0)
        n = len(self.train)
        v = torch.as_tensor(rng.standard_normal(self.w0.shape), dtype=self.w0.dtype)
        v = v.to(self.w0.device)
        previous = 0.0
        for _ in range(1000):
            v = v / torch.linalg.vector_norm(v)
            v = self.train.features.adjoint(self.train.features.apply(v)) / n
            value = float(torch.linalg.vector_norm(v))
            if value == 0.0 or abs(value - previous) <= 1e-10 * value:
                break
            previous = value
        return value

    @cached_property
    def rounding_floor(self) -> float:
        """Size of the rounding error of αh − αh̄ on the training points, in L²(ρ̂).

        Weights and outputs are rounded to a relative ε before α multiplies them. What the
        rounding of every weight by ε does to the outputs is found by one probe: J (w0 ∘ ξ)
        for random signs ξ. Eight times that, because a few operations round in a row.
        `rounding` adds what the steps of a run accumulate.
        """
        epsilon = torch.finfo(self.w0.dtype).eps
        signs = np.random.default_rng(0).choice([-1.0, 1.0], self.w0.shape)
        probe = self.w0 * torch.as_tensor(signs, dtype=self.w0.dtype, device=self.w0.device)
        weights = rms(self.train.features.apply(probe)) + rms(self.network(self.w0, self.train.x))
        return 8.0 * epsilon * (self.alpha * weights + rms(self.train.start) + rms(self.targets))


def rounding(problem: Problem, steps: int, change: float) -> float:
    """Return the rounding error of the gap after some steps that moved outputs by `change`.

    The floor, and one rounding of the change per step, which add up as a random walk: √steps.
    Sixteen times that: on rich and even diverging runs whose sums were formed in another
    order the difference stayed below it.
    """
    epsilon = torch.finfo(problem.w0.dtype).eps
    return problem.rounding_floor + 16.0 * epsilon * steps**0.5 * change


def rms(values: Tensor) -> float:
    """Return √(mean over points of ‖values_i‖²): the L²(ρ̂) norm of outputs (n, k)."""
    return float(values.square().sum(-1).mean().sqrt())


def default_step_size(problem: Problem) -> float:
    """Return η = 1 / (largest curvature of the loss · λ_max): half the limit of stability."""
    curvature = problem.loss.SPEC.facts["curvature"] * problem.largest_eigenvalue
    return 1.0 / curvature if curvature > 0.0 else 1.0


def default_time(problem: Problem) -> float:
    """Return T = 200 default steps: long enough to see the fast modes learned."""
    return 200.0 * default_step_size(problem)


def build_problem(values: Values, device: torch.device) -> Problem:
    """Return the problem of these resolved fields.

    Data and weights are drawn on the CPU from numpy generators, so that they are the same
    numbers on every device.
    """
    data = dataset(values)
    dtype = getattr(torch, values["dtype"])

    def tensor(array: np.ndarray) -> Tensor:
        return torch.as_tensor(array, dtype=dtype, device=device)

    d, k = data.x_train.shape[1], data.y_train.shape[1]
    network = spec.find("model", values["model"]).build(values, d, k)
    w0 = tensor(network.initial(np.random.default_rng(values["init_seed"])))
    centered = values["zero_output"] == "centered"

    def points(x: np.ndarray, y: np.ndarray) -> Points:
        return Points(network, w0, values["alpha"], centered, tensor(x), tensor(y))

    return Problem(
        train=points(data.x_train, data.y_train),
        test=points(data.x_test, data.y_test) if len(data.x_test) else None,
        loss=spec.find("loss", values["loss"]),
        classes=data.classes,
    )
