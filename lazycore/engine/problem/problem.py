"""A training problem with every scale in its place, ready for any dynamics.

With F_α(w) = R(α h(w))/α² (Chizat, Oyallon & Bach 2019, arXiv:1812.07956, §2.1) the weights
move by O(1/α). We integrate v = α (w − w0) instead, which moves by O(1):

    v' = −D_w h(w0 + v/α)ᵀ ∇R(α h(w0 + v/α))          the network
    v̄' = −D_w h(w0)ᵀ ∇R(α h(w0) + D_w h(w0) v̄)        its linearisation

One gradient-descent step of size η on F_α is one step of size η here, whatever α.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from lazycore.config import spec
from lazycore.config.spec import Values
from lazycore.engine.features.linearize import Features
from lazycore.engine.networks.network import Network
from lazycore.engine.problem.anchor import Anchor
from lazycore.engine.problem.data import Data, load
from lazycore.engine.problem.norms import rms
from lazycore.losses import Loss, chosen
from lazycore.machine.once import once


@dataclass(frozen=True, eq=False)
class Points:
    """A set of points and the model's outputs there; y is None where there are no targets.

    drawn: what the points are, (n, d), where x does not say and they can be drawn.
    """

    network: Network
    w0: Tensor
    alpha: float
    centered: bool
    x: Tensor
    y: Tensor | None
    drawn: Tensor | None = field(default=None, kw_only=True)

    def __len__(self) -> int:
        return len(self.x)

    @once
    def anchor(self) -> Anchor:
        """The network at w0 on these points; `rescaled` shares it."""
        return Anchor(self.network, self.w0, self.x)

    @once
    def start(self) -> Tensor:
        """α h(w0, x), 0 for a centred model: the output at time 0 of both models, (n, k)."""
        h0 = self.anchor.outputs
        return torch.zeros_like(h0) if self.centered else self.alpha * h0

    @property
    def features(self) -> Features:
        """The tangent features D_w h(w0, x)."""
        return self.anchor.features

    def weights(self, v: Tensor) -> Tensor:
        """Return w = w0 + v/α."""
        return self.w0 + v / self.alpha

    def outputs(self, v: Tensor) -> Tensor:
        """Return α h(w0 + v/α, x), (n, k)."""
        return self.start + self.alpha * self.anchor.change(v, 1.0 / self.alpha)

    def observed(self, v: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the change of αh since the start at v (r, p), (r, n, k), and the inputs of the
        hidden units there, (r, n, m) per layer."""
        if not self.network.stacked:
            return self.changes(v), []
        changes, hidden = self.anchor.change.observe(v, 1.0 / self.alpha)
        return self.alpha * changes, hidden

    def changes(self, v: Tensor) -> Tensor:
        """Return the change of αh since the start at v (r, p), (r, n, k)."""
        change, c = self.anchor.change, 1.0 / self.alpha
        if self.network.stacked:
            return self.alpha * change(v, c)
        return self.alpha * torch.stack([change(one, c) for one in v])

    def tangent_outputs(self, v: Tensor) -> Tensor:
        """Return α h̄(w0 + v/α, x) = α h(w0) + J v, (n, k)."""
        return self.start + self.features.apply(v.to(self.features.like))

    def rescaled(self, alpha: float) -> "Points":
        """Return the same points for another α; the anchor is shared."""
        points = replace(self, alpha=alpha)
        points.__dict__["anchor"] = self.anchor
        return points

    def moved(self, w0: Tensor) -> "Points":
        """Return these points for other weights nearby: outputs change as they do from there, but
        they start as they do here."""
        if w0 is self.w0:
            return self
        points = replace(self, w0=w0)
        points.__dict__["start"] = self.start
        return points

    def tied(self, base: "Points", scale: float) -> "Points":
        """Return these points with what is known of the kernel of `base`; see `Problem.tied`."""
        points = replace(self)
        points.__dict__["anchor"] = base.anchor.times_as_large(self.network, self.w0, scale)
        return points


@dataclass(frozen=True, eq=False)
class Problem:
    """What is trained: a network from its initial weights, on points, under a loss.

    classes: 0 for real targets, 2 for ±1, else the number of classes.
    epsilon: what the network rounds to on its way, where that is coarser than its weights.
    units: mean and scale of real targets that were standardised (`targets.Dataset`).
    """

    train: Points
    test: Points | None
    loss: Loss
    classes: int
    epsilon: float = 0.0
    units: Mapping[str, float] = field(default_factory=dict)

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

    def gradient(self, v: Tensor, batch: Tensor) -> Tensor:
        """Return Dhᵀ ∇R(α h) at w0 + v/α, averaged over the points with these indices. (p,)

        Of all points at once, and of many problems: `lazycore.engine.problem.stacked`.
        """
        train, y = self.train, self.targets[batch]
        change, pull = train.anchor.select(batch).change.pullback(v, 1.0 / self.alpha)
        outputs = train.start[batch] + self.alpha * change
        return pull(self.loss.gradient(outputs, y) / len(batch))

    def rescaled(self, alpha: float) -> "Problem":
        """Return the same problem for another α; all that does not depend on α is shared."""
        test = None if self.test is None else self.test.rescaled(alpha)
        return replace(self, train=self.train.rescaled(alpha), test=test)

    def tied(self, base: "Problem", scale: float) -> "Problem":
        """Return the same problem, which need not form what is dear of its kernel again.

        base: of the same points, with a homogeneous network whose weights, times `scale`, are
            the ones here: its Jacobian is the same but for a factor.
        """
        test = self.test and base.test and self.test.tied(base.test, scale)
        return replace(self, train=self.train.tied(base.train, scale), test=test)

    def moved(self, w0: Tensor) -> "Problem":
        """Return the same training from other weights; see `Points.moved`."""
        return replace(self, train=self.train.moved(w0), test=None)

    @once
    def layers(self) -> list[str]:
        """The names of the layers, each once, in their order."""
        return list(dict.fromkeys(block.layer for block in self.network.blocks))

    def norms_by_layer(self, v: Tensor) -> Tensor:
        """Return the norm of each layer's part of each row of v (r, p), (r, layers)."""
        squares = {name: v.new_zeros(len(v)) for name in self.layers}
        for block in self.network.blocks:
            squares[block.layer] += v[:, block.slice].square().sum(1)
        return torch.stack(list(squares.values()), dim=1).sqrt()

    def second_points(self, x: Tensor) -> Points:
        """Return other points, without targets, for the same network (a grid to draw on)."""
        return replace(self.train, x=x, y=None)

    def loss_at(self, outputs: Tensor) -> float:
        """Return R at these training outputs (n, k)."""
        return float(self.loss.per_point(outputs, self.targets).mean())

    @property
    def largest_eigenvalue(self) -> float:
        """λ_max of the tangent kernel Θ₀/n: the square of ‖Dh(w0)‖ in L²(ρ̂)."""
        return self.train.anchor.largest_eigenvalue

    @once
    def rounding_floor(self) -> float:
        """Size of the rounding error of αh − αh̄ on the training points, in L²(ρ̂).

        Weights and outputs are rounded to a relative ε before α multiplies them. What the
        rounding of every weight by ε does to the outputs is found by one probe: J (w0 ∘ ξ)
        for random signs ξ. Eight times that, because a few operations round in a row; where
        the network's change is formed without cancellation, that part is not there.
        `rounding` adds what the steps of a run accumulate.
        """
        epsilon = max(self.epsilon, torch.finfo(self.w0.dtype).eps)
        size = float(rms(self.train.start)) + float(rms(self.targets))
        if self.train.anchor.displaced is None:
            signs = np.random.default_rng(0).choice([-1.0, 1.0], self.w0.shape)
            probe = self.w0 * torch.as_tensor(signs, dtype=self.w0.dtype, device=self.w0.device)
            size += self.alpha * (
                float(rms(self.train.features.apply(probe))) + float(rms(self.train.anchor.outputs))
            )
        return 8.0 * epsilon * size


def rounding(problem: Problem, steps: int, change: float) -> float:
    """Return the rounding error of the gap after some steps that moved outputs by `change`.

    The floor, and one rounding of the change per step, which add up as a random walk: √steps.
    Sixteen times that: as much as there is where rounding is not carried on from step to step;
    how far it is carried, dynamics see for themselves (`Moment.rounding`).
    """
    epsilon = max(problem.epsilon, torch.finfo(problem.w0.dtype).eps)
    return problem.rounding_floor + 16.0 * epsilon * steps**0.5 * change


def default_step_size(problem: Problem) -> float:
    """Return η = 1 / (largest curvature of the loss · λ_max): half the limit of stability."""
    curvature = problem.loss.SPEC.facts["curvature"] * problem.largest_eigenvalue
    return 1.0 / curvature if curvature > 0.0 else 1.0


def default_time(problem: Problem) -> float:
    """Return T = 200 default steps: long enough to see the fast modes learned."""
    return 200.0 * default_step_size(problem)


def longest_time(problem: Problem) -> float:
    """Return 10⁸ default steps: time enough to meet the margins that can be met at all."""
    return 1e8 * default_step_size(problem)


def build_problem(values: Values, device: torch.device, data: Data | None = None) -> Problem:
    """Return the problem of these resolved fields, on data that may be loaded already."""
    data = data or load(values, device)
    d, k = data.x_train.shape[1], data.y_train.shape[1]
    network = spec.find("model", values["model"]).build(values, d, k)
    w0 = network.initial(np.random.default_rng(values["init_seed"]))
    w0 = torch.as_tensor(w0, dtype=data.x_train.dtype, device=device)
    centered = values["zero_output"] == "centered"

    def points(x: Tensor, y: Tensor) -> Points:
        return Points(network, w0, values["alpha"], centered, x, y)

    return Problem(
        train=points(data.x_train, data.y_train),
        test=points(data.x_test, data.y_test) if len(data.x_test) else None,
        loss=chosen(values["loss"], values),
        classes=data.classes,
        units=data.units,
    )
