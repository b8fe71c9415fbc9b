"""A stage without end is a Gauss–Newton step."""

from collections.abc import Mapping

from lazycore.papers.claim import Check, Row
from lazycore.papers.iterative_linearization.claims._oracle import SOURCE, jacobian, path
from lazycore.results.run import RunResult

NEWTON = 1e-6


def _newton(results: Mapping[str, RunResult]) -> list[Row]:
    """A3: a stage without end, against the step to the least-norm solution."""
    import torch

    many = 10**6
    fields = {"task": "teacher", "dim": 8, "n_train": 30, "width": 40}
    problem, _, states = path([many], steps=2 * many, refresh_every=many, **fields)
    zero = torch.zeros_like(problem.w0)
    features = jacobian(problem, zero, problem.train.x)
    step = torch.linalg.lstsq(features, problem.targets.reshape(-1), driver="gelsd").solution
    error = float((states[0].v - step).norm() / step.norm())
    claim = "K = 10⁶: the Gauss–Newton step −J⁺r of least norm"
    return [Row(claim, f"{error:.1e}, relative", f"≤ {NEWTON:g}", error <= NEWTON)]


CHECKS = (Check(name="iterative-linearization-newton", source=SOURCE, judge=_newton),)
