"""Whether a theorem applies to a problem: its line to draw, or the reason why there is none."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lazycore.config import spec
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.problem import Problem
from lazycore.theory.lazy import theorem_2_3


@dataclass(frozen=True)
class GapBound:
    """Theorem 2.3's bound on the output gap as a function of time, or why there is none."""

    at: Callable[[float], float] | None
    reason: str | None

    def series(self, time: float) -> dict[str, float]:
        """Return the entry of the record at this time, if the bound exists at all."""
        return {} if self.at is None else {"theory.theorem_2_3": self.at(time)}

    @property
    def said(self) -> dict[str, str]:
        """Return the entry of the record that says why there is no line."""
        return {} if self.reason is None else {"theory.reason": self.reason}


def gap_bound(problem: Problem, dynamics: str) -> GapBound:
    """Return Theorem 2.3's line for this problem, with constants that are upper bounds.

    (Chizat, Oyallon & Bach 2019, arXiv:1812.07956.) It needs gradient flow, the square loss,
    and Lipschitz constants of h and Dh on a ball, which are known in closed form for smooth
    networks of one hidden layer and one output.
    """
    if not spec.facts_of("dynamics", dynamics).get("gradient_flow"):
        said = "takes discrete steps" if spec.takes_steps(dynamics) else "goes another way"
        return GapBound(None, f"Theorem 2.3 is about gradient flow: this run {said}.")
    if not problem.loss.SPEC.facts["quadratic"]:
        return GapBound(None, "Theorem 2.3 is about the square loss.")
    if not problem.network.smooth:
        return GapBound(None, "Theorem 2.3 needs a smooth network: this one has kinks.")
    network, w0, x = problem.network, problem.w0, problem.train.x
    if network.second_derivative_bound(w0, x, 0.0) is None:
        return GapBound(
            None, "Theorem 2.3 needs a Lipschitz constant of Dh, and none is known for this model."
        )

    def curvature(radius: float) -> float:
        bound = network.second_derivative_bound(w0, x, radius)
        assert bound is not None
        return bound

    residual = float(rms(problem.train.start - problem.targets))
    differential = problem.largest_eigenvalue**0.5

    def at(time: float) -> float:
        bound = theorem_2_3(
            np.array([time]),
            residual=residual,
            alpha=problem.alpha,
            differential=differential,
            curvature=curvature,
        )
        return float(bound[0])

    return GapBound(at, None)
