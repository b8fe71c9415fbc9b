"""The network and its linearisation as one system of differential equations.

Their gap is a small difference of long paths. Advanced by one method on the same steps,
the discretisation errors of the two nearly cancel in it; so that is what we integrate, and
the gap is what the steps are controlled by.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lazycore.engine.linear.tangent_lanes import TangentLanes
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.problem import Problem
from lazycore.engine.problem.stacked import Lanes
from lazycore.engine.steppers.path import Path

KINK_FLOOR, KINK_SHARE = 0.0625, 0.002
"""Smallest step at kinks: in units of 1/λ_max, and as a share of the time passed (so that the
number of steps grows only as its logarithm) where the method can take steps that grow without
limit. There a smaller one buys little."""

EARLY_SHARE = 0.1
"""At the start that floor is this share of the time passed, if less: the first steps are of the
size of the first recorded times, which a logarithmic axis shows as large as the last."""

COARSE_FLOOR, KINK_SAFETY = 8.0, 2.0
"""How much higher that floor is at ten times the tolerance, as in the coarser run, and the
factor on the difference of the two: errors at kinks are as good as random, so the difference
can come out small by chance (docs/log/flow.md, 2026-11-21)."""

USUAL_TOLERANCE = 1e-3
"""The tolerance that those floors belong to; a finer one does not lower them."""

SMOOTH_FLOOR = 1e-6
"""The first of these where there are no kinks, in units of the network's onset: below it only
rounding is left."""

LOST = 0.1
"""Error of v, as a share of ‖v‖ before the step, above which a step says nothing of where v is."""

STIFF = 30.0
"""λ_max · T from which on the stabilised method takes fewer gradients for the same error of
the gap, with kinks or without (docs/log/flow.md, 2026-11-21)."""


@dataclass
class Seen:
    """What a lane has come to: its losses now, the first of them, the largest change of outputs,
    gap and ‖v‖ so far, and the smallest y f of both models where margins are watched."""

    initial: float
    losses: tuple[float, float]
    sizes: tuple[float, ...] = (0.0, 0.0, 0.0)
    lowest: tuple[float, float] = (-np.inf, -np.inf)


@dataclass(eq=False)
class Pair:
    """y = (v, z): the network's v (p,) and the tangent coordinates z, of every lane.

    A step is judged by the errors of both models' outputs, relative to their largest change
    so far, and of their gap, relative to its largest value so far; neither below the
    rounding floor. And by that of v, see `unless_lost`.

    share: (s,) error allowed per step. known_radius: (s,) bound on the tangent rates.
    watched: whether the smallest y f of both models is looked at after each step.
    """

    lanes: Lanes
    tangent: TangentLanes
    share: np.ndarray
    rounding: np.ndarray
    known_radius: np.ndarray
    head: int
    watched: bool = False
    seen: Sequence[Seen] = ()
    _tried: Sequence[tuple[tuple[float, float], ...]] = ()

    def __post_init__(self) -> None:
        if not self.seen:
            initial = self.lanes.losses(torch.zeros_like(self.lanes.start)).tolist()
            self.seen = [Seen(loss, (loss, loss)) for loss in initial]

    def select(self, rows: Sequence[int]) -> "Pair":
        """Return the pairs of some of the lanes; what is seen of them is noted in both."""
        rows = list(rows)
        return replace(
            self,
            lanes=self.lanes.select(torch.tensor(rows, device=self.lanes.alpha.device)),
            tangent=self.tangent.select(rows),
            share=self.share[rows],
            rounding=self.rounding[rows],
            known_radius=self.known_radius[rows],
            seen=[self.seen[row] for row in rows],
        )

    def first(self, count: int) -> "Pair":
        """Return the gradients of the first lanes, which share their memory."""
        return replace(self, lanes=self.lanes.select(slice(0, count)))

    def gradient(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return minus the velocity of (v, z), and the change of the network's outputs."""
        gradient, change = self.lanes.gradient(y[:, : self.head])
        return torch.cat([gradient, self.tangent.gradient(y[:, self.head :])], dim=1), change

    def head_gradient(self, y: Tensor) -> Tensor:
        """Return minus the velocity of v."""
        return self.lanes.gradient(y)[0]

    def judge(self, y: Tensor, error: Tensor, known: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Return how much too large each lane's error is, and whether its losses descend."""
        p = self.head
        tangent, tangent_error = self.tangent.outputs(torch.stack([y[:, p:], error[:, p:]]))
        errors = known - self.lanes.outputs(y[:, :p] - error[:, :p]), tangent_error
        sizes = [*map(rms, (*errors, errors[0] - errors[1], known, tangent, known - tangent))]
        sizes += [self.lanes.losses(known), self.lanes.losses(tangent)]
        sizes += [torch.linalg.vector_norm(part[:, :p], dim=1) for part in (error, y)]
        if self.watched:
            sizes += [self.lanes.lowest(known), self.lanes.lowest(tangent)]
        # The one place where a step waits for the device.
        found = torch.stack(sizes).cpu().double().numpy()
        before = np.array([seen.sizes for seen in self.seen]).T
        # Kept on `accept` only: a step that overshoots must not widen what the next is allowed.
        change = np.fmax(before[0], np.fmax(found[3], found[4]))
        gap, far = np.fmax(before[1], found[5]), np.fmax(before[2], found[9])
        columns = [found[6:8], (change, gap, far), *([found[10:]] if self.watched else [])]
        self._tried = [*zip(*(zip(*pair, strict=True) for pair in columns), strict=True)]
        with np.errstate(all="ignore"):
            excess = np.maximum(
                np.maximum(found[0], found[1]) / (self.share * change + self.rounding),
                found[2] / (self.share * gap + self.rounding),
            )
            excess = unless_lost(excess, found[8], (before[2], far), self.rounding / change)
        slack = self.share * np.array([seen.initial for seen in self.seen])
        losses = np.array([seen.losses for seen in self.seen]).T
        return excess, np.all(found[6:8] <= 1.01 * losses + slack, axis=0)

    def accept(self, number: int) -> None:
        """Take the step of this lane that was judged last."""
        seen = self.seen[number]
        seen.losses, seen.sizes, *lowest = self._tried[number]
        if lowest:
            seen.lowest = lowest[0]


def is_stiff(problem: Problem, end: float) -> bool:
    """Whether the stabilised method takes fewer gradients up to this time."""
    return end > STIFF * natural_time(problem, end)


def path(
    problem: Problem,
    size: int,
    end: float,
    tolerance: float,
    coarseness: float,
    limit: float,
    unit: float | None = None,
    quickest: float | None = None,
    longer: float = 1.0,
) -> Path:
    """Return the pair's path from 0: its first step, and the floor of its steps.

    size: tangent coordinates. tolerance: of the run. coarseness: above 1 for the run beside
    it, whose floor at kinks is raised. unit: the shortest time in which something happens;
    the linearised model's where it is left out. quickest: the network's onset, where that may
    be shorter. longer: factor on the first step.
    """
    unit, factor = unit or natural_time(problem, end), kink_factor(tolerance, coarseness)
    return Path(
        y=problem.w0.new_zeros(problem.w0.numel() + size),
        end=end,
        step=min(0.1 * unit * longer, end),
        floor=_floor(problem, unit, quickest or unit, factor),
        growth=0.0 if problem.network.smooth else factor * KINK_SHARE,
        limit=limit,
    )


def curvature(problem: Problem) -> float:
    """Return the largest rate of decay of the linearised model: sup ℓ'' · λ_max."""
    return problem.loss.SPEC.facts["curvature"] * problem.largest_eigenvalue


def natural_time(problem: Problem, end: float) -> float:
    """Return 1/(curvature · λ_max), the fastest time of the linearised model, or the end."""
    rate = curvature(problem)
    return 1.0 / rate if rate > 0.0 else end


def kink_factor(tolerance: float, coarseness: float) -> float:
    """Return by how much the floor at kinks is raised for a run of this tolerance."""
    usual = max(1.0, tolerance / USUAL_TOLERANCE)
    return (usual * coarseness) ** float(np.log10(COARSE_FLOOR))


def _floor(
    problem: Problem, unit: float, quickest: float, factor: float
) -> Callable[[float], float]:
    if problem.network.smooth:
        return lambda time: SMOOTH_FLOOR * quickest
    early = SMOOTH_FLOOR * unit
    return lambda time: factor * min(KINK_FLOOR * unit, max(early, EARLY_SHARE * time))


def unless_lost(
    excess: np.ndarray,
    missed: np.ndarray,
    far: tuple[np.ndarray, np.ndarray],
    noise: np.ndarray,
) -> np.ndarray:
    """Return the excess of each step, or that of the error of v, `missed`, where it is too large.

    A step that ends where all units are dead has outputs that do not depend on v: by them its error
    is none, however far it has left the path (docs/log/flow.md, 2026-11-27). far: largest ‖v‖
    before the step and with it, which stands for the first where that is 0. noise: the share of
    the outputs' change that is rounding.
    """
    before, after = far
    measure = np.where(before > 0.0, before, np.fmax(after, np.finfo(float).tiny))
    astray = missed / (measure * (LOST + noise))
    return np.where(astray <= 1.0, excess, np.maximum(excess, astray))
