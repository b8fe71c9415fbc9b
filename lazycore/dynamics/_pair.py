"""The network and its linearisation as one system of differential equations.

Their gap is a small difference of long paths. Advanced by one method on the same steps,
the discretisation errors of the two nearly cancel in it; so that is what we integrate, and
the gap is what the steps are controlled by.
"""

import torch
from torch import Tensor

from lazycore.dynamics._dormand_prince import DormandPrince
from lazycore.dynamics._tangent import TangentSpace, gradient
from lazycore.problem import rms

LOCAL_SHARE = 0.05
"""Error allowed per step, as a share of the tolerance for the whole run."""

KINK_FLOOR = 0.25
"""Smallest step at kinks, in units of 1/λ_max: there a smaller one buys little."""

SMOOTH_FLOOR = 1e-6
"""The same where there are no kinks: below it only rounding is left."""


def integrator(space: TangentSpace, end: float, tolerance: float, coarseness: float):
    """Return the integrator of y = (v, s): the network's v (p,), the tangent coordinates s.

    Controls, per step, the outputs of both models relative to their largest change so far
    and the gap relative to its largest value so far, never below the rounding floor.

    coarseness: factor on the tolerance; its logarithm (base 10) doubles the floor.
    """
    problem = space.problem
    p = problem.w0.numel()
    share = LOCAL_SHARE * tolerance * coarseness
    floor_units = SMOOTH_FLOOR if problem.network.smooth else KINK_FLOOR
    curvature = problem.loss.SPEC.facts["curvature"] * problem.largest_eigenvalue
    unit = 1.0 / curvature if curvature > 0.0 else end
    scale = _Scales(rounding=problem.rounding_floor)

    def rate(y: Tensor) -> Tensor:
        return torch.cat([-problem.gradient(y[:p]), -gradient(space, y[p:])])

    def outputs(y: Tensor) -> tuple[Tensor, Tensor]:
        return problem.train.outputs(y[:p]) - problem.train.start, space.outputs(y[p:])

    def excess(y: Tensor, difference: Tensor) -> float:
        network, tangent = outputs(y)
        network_less, tangent_less = outputs(y - difference)
        scale.see(change=max(rms(network), rms(tangent)), gap=rms(network - tangent))
        errors = (network - network_less, tangent - tangent_less)
        change = max(rms(error) for error in errors) / scale.allowed_change(share)
        return max(change, rms(errors[0] - errors[1]) / scale.allowed_gap(share))

    return DormandPrince(
        rate=rate,
        excess=excess,
        y=problem.w0.new_zeros(p + space.size),
        end=end,
        step=min(0.1 * unit, end),
        floor=floor_units * unit * (1.0 if coarseness == 1.0 else 2.0),
    )


class _Scales:
    """The largest output change and gap seen so far, which errors are measured against."""

    def __init__(self, rounding: float) -> None:
        self.rounding, self.change, self.gap = rounding, 0.0, 0.0

    def see(self, change: float, gap: float) -> None:
        self.change, self.gap = max(self.change, change), max(self.gap, gap)

    def allowed_change(self, share: float) -> float:
        return share * self.change + self.rounding

    def allowed_gap(self, share: float) -> float:
        return share * self.gap + self.rounding
