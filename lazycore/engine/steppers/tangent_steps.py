"""Steps that follow the linearised flow as it is, and what is left of the network's by lines.

With f̂ = f(0) + J v, J that of w0, and G(v) the gradient of the network, its flow is

    v' = −Jᵀ ∇R(f̂ + δ) − ρ,    δ = f(v) − f̂,    ρ = G(v) − Jᵀ ∇R(f(v)).

In the lazy regime δ and ρ are small and slow. Over a step they are taken as linear in time, first
extrapolated and then between both ends; what remains is stiff, but of n·k numbers a only:

    v = v_n + Jᵀ a − ∫ρ,    a' = −∇R(f̂_n + Θ a − J ∫ρ + δ),    a = 0 at the start.

So a step takes two gradients of the network however long it is. An exponential integrator
(Hochbruck & Ostermann 2010, Acta Numer. 19:209–286) whose linear part is replaced by a flow
that is not linear but cheap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lazycore.engine.linear.tangent import FunctionSpace, TangentSpace
from lazycore.engine.linear.tangent_lanes import Coordinates
from lazycore.engine.problem.norms import rms
from lazycore.engine.steppers.inner_steps import Node, between, followed, step
from lazycore.engine.steppers.pair import Pair
from lazycore.engine.steppers.path import Stepper, System, stacked
from lazycore.losses import Loss

INNER = 0.01
"""Error of the inner steps, as a share of what a step may have of the outputs: they are cheap."""

SHORT, GROWING, PATIENCE = 1.0, 0.2, 15
"""Step times rate below which the stabilised method takes no more gradients, unless the step is as
large a share of the time passed; and the tries in a row after which a path is left to it."""

LAZY = 0.05
"""Gap, as a share of the change of the outputs, above which a path is left to it too."""

MOST, LEAST_WORK = 2000, 5e5
"""Outputs n·k, at most, and n·p, at least, where these steps are of use: two hidden layers of 25 on
100 points take a fifth longer with them, of 100 as long, of 400 two thirds (docs/log/flow.md,
2026-11-27)."""


@dataclass(frozen=True, eq=False)
class Defect:
    """What the linearisation at v lacks: δ (q,), ρ (p,) and J ρ (q,)."""

    outputs: Tensor
    gradient: Tensor
    pushed: Tensor


@dataclass(frozen=True, eq=False)
class Tangent:
    """The linearised model of one path: its kernel Θ (q, q), J and Jᵀ, and ∇R, all flat."""

    space: FunctionSpace
    start: Tensor
    y: Tensor
    loss: Loss
    rate: float

    def residual(self, change: Tensor) -> Tensor:
        """Return ∇R at this change of the outputs since the start, (q,)."""
        f = self.start + change.view_as(self.start)
        return (self.loss.gradient(f, self.y) / len(f)).flatten()

    def outputs(self, s: Tensor) -> Tensor:
        """Return Θ s."""
        return torch.mv(self.space.kernel, s)

    def push(self, v: Tensor) -> Tensor:
        """Return J v."""
        return self.space.problem.train.features.apply(v).flatten()

    def defect(self, at: Tensor, gradient: Tensor, change: Tensor) -> Defect:
        """Return the defect where J v = `at`, from the network's gradient and outputs there."""
        rho = gradient - self.space.parameters(self.residual(change))
        return Defect(change - at, rho, self.push(rho))


@dataclass(frozen=True, eq=False)
class Bridge:
    """A step of length h from v: the defects at both ends, a and s on the way."""

    h: float
    ends: tuple[Defect, Defect]
    network: Sequence[Node]
    tangent: Sequence[Node]

    def lost(self, time: float) -> tuple[float, float]:
        """Return the weights of the two ends in ∫ρ up to this time."""
        second = time * time / (2.0 * self.h)
        return time - second, second

    def position(self, space: FunctionSpace, v: Tensor, time: float) -> Tensor:
        """Return (v, s) at this time within the step that began at v."""
        first, second = self.lost(time)
        moved = space.parameters(between(self.network, time))
        moved.sub_(self.ends[0].gradient, alpha=first).sub_(self.ends[1].gradient, alpha=second)
        return torch.cat([v + moved, between(self.tangent, time)])


class TangentSteps(Stepper):
    """Paths of a pair in function space; they leave where the network is not lazy enough."""

    order = 1
    local_share = 0.3

    def _begin(self) -> None:
        pair, rows = self._pair(self.system), range(len(self.paths))
        v = self._states(rows)[:, : pair.head]
        self._tangents = [_tangent(pair, row) for row in rows]
        self._at = [tangent.push(one) for tangent, one in zip(self._tangents, v, strict=True)]
        self._now, _ = self._defects(pair, rows, v, self._at)
        self._before: list[tuple[Defect, float] | None] = [None] * len(v)
        self._bridges: list[Bridge | None] = [None] * len(v)
        self._inner = [0.1 / tangent.rate for tangent in self._tangents]
        self._short = [0] * len(v)

    def _goes_on(self, row: int) -> bool:
        change, gap, _ = self._pair(self.system).seen[row].sizes
        return super()._goes_on(row) and self._short[row] < PATIENCE and gap <= LAZY * change

    def _pair(self, system: System) -> Pair:
        assert isinstance(system, Pair)
        return system

    def _attempt(
        self, system: System, rows: list[int], h: list[float]
    ) -> tuple[Tensor, Tensor, Any]:
        """Return y(t + h), by how much the extrapolated one is off, and the network's outputs."""
        pair = self._pair(system)
        for row, width in zip(rows, h, strict=True):
            small = width < min(SHORT / self._tangents[row].rate, GROWING * self.paths[row].time)
            self._short[row] = self._short[row] + 1 if small else 0
        tangents = [self._inner_flow(pair, i, row, h[i]) for i, row in enumerate(rows)]
        guesses = [self._extrapolated(row, width) for row, width in zip(rows, h, strict=True)]
        _, first, at = self._bridged(rows, h, tangents, guesses)
        defects, _ = self._defects(pair, rows, first, at)
        self._tried, last, self._reached = self._bridged(rows, h, tangents, defects)
        self._found, changes = self._defects(pair, rows, last, self._reached)
        states = stacked([bridge.tangent[-1].a for bridge in self._tried])
        error = torch.cat([last - first, torch.zeros_like(states)], dim=1)
        return torch.cat([last, states], dim=1), error, changes

    def _inner_flow(self, pair: Pair, i: int, row: int, h: float) -> list[Node]:
        """Return the linearised model over this step, its steps chosen by its own error."""
        tangent, s = self._tangents[row], self.paths[row].y[pair.head :]

        def slope(_: float, a: Tensor) -> Tensor:
            return tangent.residual(tangent.outputs(a))

        start = Node(0.0, s, slope(0.0, s))
        change = max(pair.seen[i].sizes[0], h * _size(tangent.outputs(start.slope)))
        allowed = INNER * pair.share[i] * change + pair.rounding[i]

        def excess(error: Tensor) -> float:
            return _size(tangent.outputs(error)) / allowed

        nodes, self._inner[row] = followed(slope, start, h, tangent.rate, self._inner[row], excess)
        return nodes

    def _extrapolated(self, row: int, h: float) -> Defect:
        """Return the defect at the end of a step as the last two let expect it."""
        now, before = self._now[row], self._before[row]
        if before is None:
            return now
        share = 1.0 + h / before[1]
        return Defect(
            torch.lerp(before[0].outputs, now.outputs, share),
            torch.lerp(before[0].gradient, now.gradient, share),
            torch.lerp(before[0].pushed, now.pushed, share),
        )

    def _bridged(
        self,
        rows: Sequence[int],
        h: Sequence[float],
        tangents: Sequence[Sequence[Node]],
        ends: Sequence[Defect],
    ) -> tuple[list[Bridge], Tensor, list[Tensor]]:
        """Return the steps with these defects at their ends; v and J v there."""
        bridges, states, at = [], [], []
        for row, width, tangent, end in zip(rows, h, tangents, ends, strict=True):
            linear, v = self._tangents[row], self.paths[row].y
            pair = (self._now[row], end)
            network = _replayed(linear, self._at[row], pair, width, tangent)
            bridge = Bridge(width, pair, network, tangent)
            first, second = bridge.lost(width)
            lost = first * pair[0].pushed + second * pair[1].pushed
            at.append(self._at[row] + linear.outputs(network[-1].a) - lost)
            size = len(v) - len(network[-1].a)
            states.append(bridge.position(linear.space, v[:size], width)[:size])
            bridges.append(bridge)
        return bridges, stacked(states), at

    def _defects(
        self, pair: Pair, rows: Sequence[int], v: Tensor, at: Sequence[Tensor]
    ) -> tuple[list[Defect], Tensor]:
        """Return the defects at v (s, p), where J v is `at`, and the network's outputs there."""
        gradients, changes = pair.lanes.gradient(v)
        self._count(rows, 1)
        defects = [
            self._tangents[row].defect(at[i], gradients[i], changes[i].flatten())
            for i, row in enumerate(rows)
        ]
        return defects, changes

    def _accepted(self, row: int, i: int) -> None:
        self._before[row] = self._now[row], self._tried[i].h
        self._now[row], self._at[row] = self._found[i], self._reached[i]
        self._bridges[row] = self._tried[i]

    def _interpolate(self, row: int, x: float) -> Tensor:
        path, bridge = self.paths[row], self._bridges[row]
        assert path.previous is not None and bridge is not None
        space = self._tangents[row].space
        size = len(path.y) - space.size
        return bridge.position(space, path.previous[1][:size], x * bridge.h)


def pays(space: TangentSpace) -> bool:
    """Whether these steps are of use for a problem whose linearised model has this space.

    The network's gradients have to be dear, as seen by n·p, and those of n·k numbers cheap. On a
    GPU, where small products wait for one another, that is not known; in single precision a defect
    would be a difference of rounded numbers.
    """
    if not isinstance(space, FunctionSpace) or space.size > MOST:
        return False
    problem, w0 = space.problem, space.problem.w0
    fits = problem.network.smooth and w0.dtype == torch.float64 and w0.device.type == "cpu"
    dear = w0.numel() * len(problem.train) >= LEAST_WORK
    return fits and dear and problem.largest_eigenvalue > 0.0


def _tangent(pair: Pair, row: int) -> Tangent:
    """Return the linearised model of this path."""
    assert isinstance(pair.tangent, Coordinates)
    space, lanes = pair.tangent.spaces[row], pair.lanes
    assert isinstance(space, FunctionSpace)
    rate = float(pair.known_radius[row])
    return Tangent(space, lanes.start[row], lanes.y[row], lanes.loss, rate)


def _replayed(
    tangent: Tangent, at: Tensor, ends: tuple[Defect, Defect], h: float, like: Sequence[Node]
) -> list[Node]:
    """Return the network's a on the way, in the same steps as those of its linearisation.

    Their gap is a small difference: it must not be that of two discretisations.
    """
    (first, last) = ends

    def slope(time: float, a: Tensor) -> Tensor:
        second = time * time / (2.0 * h)
        lost = (time - second) * first.pushed + second * last.pushed
        delta = torch.lerp(first.outputs, last.outputs, time / h)
        return tangent.residual(at + tangent.outputs(a) - lost + delta)

    start = torch.zeros_like(at)
    nodes = [Node(0.0, start, slope(0.0, start))]
    for node in like[1:]:
        nodes.append(step(slope, nodes[-1], node.time - nodes[-1].time, tangent.rate, node.time))
    return nodes


def _size(outputs: Tensor) -> float:
    """Return the root mean square of outputs (n·k,): `rms` of as many points with one each."""
    return float(rms(outputs[:, None]))
