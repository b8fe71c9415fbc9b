"""The network and its linearisation as one system of differential equations.

Their gap is a small difference of long paths. Advanced by one method on the same steps,
the discretisation errors of the two nearly cancel in it; so that is what we integrate, and
the gap is what the steps are controlled by.
"""

import torch
from torch import Tensor

from lazycore.dynamics._chebyshev import Chebyshev
from lazycore.dynamics._dormand_prince import DormandPrince
from lazycore.dynamics._steps import Controlled
from lazycore.dynamics._tangent import TangentSpace, gradient
from lazycore.problem import rms

LOCAL_SHARE: dict[type[Controlled], float] = {DormandPrince: 0.05, Chebyshev: 0.08}
"""Error allowed per step, as a share of the tolerance for the whole run."""

KINK_FLOOR, KINK_SHARE = 0.0625, 0.002
"""Smallest step at kinks: in units of 1/λ_max, and as a share of the time passed (so that
the number of steps grows only as its logarithm). There a smaller one buys little."""

EARLY_SHARE = 0.1
"""At the start that floor is this share of the time passed, if less: the first steps are of the
size of the first recorded times, which a logarithmic axis shows as large as the last."""

COARSE_FLOOR, KINK_SAFETY = 8.0, 2.0
"""How much higher that floor is in the coarser run, and the factor on the difference of the
two: errors at kinks are as good as random, so the difference can come out small by chance
(LOG.md, 2026-11-21)."""

SMOOTH_FLOOR = 1e-6
"""The first of these where there are no kinks: below it only rounding is left."""

STIFF, STIFF_WITH_KINKS = 30.0, 500.0
"""λ_max · T from which on the stabilised method takes fewer gradients for the same error of
the gap (LOG.md, 2026-11-21); at kinks its order is of less use, so it wins later."""


def integrator(space: TangentSpace, end: float, tolerance: float, coarseness: float) -> Controlled:
    """Return the integrator of y = (v, s): the network's v (p,), the tangent coordinates s.

    Controls, per step, the outputs of both models relative to their largest change so far
    and the gap relative to its largest value so far, never below the rounding floor.

    coarseness: factor on the tolerance; above 1 the floor at kinks is raised as well.
    """
    problem = space.problem
    p = problem.w0.numel()
    curvature = problem.loss.SPEC.facts["curvature"] * problem.largest_eigenvalue
    unit = 1.0 / curvature if curvature > 0.0 else end
    stiff = end > unit * (STIFF if problem.network.smooth else STIFF_WITH_KINKS)
    method: type[Controlled] = Chebyshev if stiff else DormandPrince

    def rate(y: Tensor) -> Tensor:
        return torch.cat([-problem.gradient(y[:p]), -gradient(space, y[p:])])

    def floor(time: float) -> float:
        if problem.network.smooth:
            return SMOOTH_FLOOR * unit
        # Only the stabilised method may take steps that grow without limit.
        growing = KINK_SHARE * time if method is Chebyshev else 0.0
        steady = max(KINK_FLOOR * unit, growing)
        early = max(SMOOTH_FLOOR * unit, EARLY_SHARE * time)
        return (1.0 if coarseness == 1.0 else COARSE_FLOOR) * min(steady, early)

    return method(
        rate=rate,
        judge=PairJudge(space, LOCAL_SHARE[method] * tolerance * coarseness),
        y=problem.w0.new_zeros(p + space.size),
        end=end,
        step=min(0.1 * unit, end),
        floor=floor,
    )


class PairJudge:
    """Judges steps of the pair: by the errors of both models' outputs and of their gap.

    share: allowed error of a step, as a share of the largest output change, and of the
    largest gap, seen so far.
    """

    def __init__(self, space: TangentSpace, share: float) -> None:
        self.space, self.share = space, share
        self.rounding = space.problem.rounding_floor
        self.change, self.gap = self.seen = (0.0, 0.0)
        self.losses = self.candidate = self._losses(*self._outputs(self._zero()))
        self.initial_loss = self.losses[0]

    def excess(self, y: Tensor, error: Tensor) -> float:
        """Return the error of the step to y, divided by what is allowed."""
        network, tangent = self._outputs(y)
        network_less, tangent_less = self._outputs(y - error)
        self.candidate = self._losses(network, tangent)
        # Kept on `accept` only: a step that overshoots must not widen what the next is allowed.
        self.seen = (
            max(self.change, rms(network), rms(tangent)),
            max(self.gap, rms(network - tangent)),
        )
        errors = (network - network_less, tangent - tangent_less)
        change = max(map(rms, errors)) / (self.share * self.seen[0] + self.rounding)
        gap = rms(errors[0] - errors[1]) / (self.share * self.seen[1] + self.rounding)
        return max(change, gap)

    def descends(self) -> bool:
        """Whether neither loss rises by more than its error may be: no flow climbs."""
        slack = self.share * self.initial_loss
        pairs = zip(self.candidate, self.losses, strict=True)
        return all(new <= 1.01 * old + slack for new, old in pairs)

    def accept(self) -> None:
        """Take the step judged last."""
        self.losses = self.candidate
        self.change, self.gap = self.seen

    def _outputs(self, y: Tensor) -> tuple[Tensor, Tensor]:
        problem, p = self.space.problem, self.space.problem.w0.numel()
        return problem.train.outputs(y[:p]) - problem.train.start, self.space.outputs(y[p:])

    def _losses(self, *changes: Tensor) -> list[float]:
        problem = self.space.problem
        outputs = (problem.train.start + change for change in changes)
        return [float(problem.loss.per_point(f, problem.targets).mean()) for f in outputs]

    def _zero(self) -> Tensor:
        w0 = self.space.problem.w0
        return w0.new_zeros(w0.numel() + self.space.size)
