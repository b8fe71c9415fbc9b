"""Theorem 2.2: over a fixed time every model with h(w0) = 0 becomes lazy as α → ∞."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.config.spec import bounded_slope
from lazycore.papers.lazy_training.theorems import _hypotheses as check
from lazycore.papers.lazy_training.theorems._constants import Constants
from lazycore.papers.theorem import BOUND, Hypothesis, Line, Rate, Theorem
from lazycore.results.run import RunResult
from lazycore.theory import lazy

ALPHAS = (10.0, 30.0, 100.0, 300.0, 1000.0)

STATEMENT = r"""
Let $h(w_0) = 0$ and fix a time $T$. As $α → ∞$,

$$
\sup_{t ≤ T} ‖w_α(t) - w_0‖ = O(1/α), \qquad \sup_{t ≤ T} ‖w_α(t) - \bar w_α(t)‖ = O(1/α^2),
\qquad \sup_{t ≤ T} ‖α h(w_α(t)) - α \bar h(\bar w_α(t))‖ = O(1/α).
$$

$R$ need not be convex. The proof bounds the first with constants that are known exactly:

$$
‖w_α(t) - w_0‖ ≤ \frac{\sqrt{t\, R(α h(w_0))}}{α}.
$$

The constants of the other two grow exponentially with $T$; here their powers of $α$ are measured.
"""

_PROBLEM: dict[str, Any] = {
    "task": "teacher",
    "dim": 5,
    "n_train": 10,
    "n_test": 0,
    "width": 20,
    "activation": "tanh",
    "scaling": "plain",
    "time": 1.0,
    "alpha": 100.0,
}

EXAMPLES = {
    "tanh network, centred": RunConfig(**_PROBLEM, zero_output="centered"),
    "tanh network, logistic loss": RunConfig(**_PROBLEM, loss="logistic"),
    "paired neurons: the gap falls as α⁻²": RunConfig(**_PROBLEM, zero_output="symmetrized"),
    "h(w₀) ≠ 0: the gap grows": RunConfig(**_PROBLEM, zero_output="none"),
    "ReLU network: not smooth": RunConfig.from_dict(_PROBLEM | {"activation": "relu"}),
    "quadratic model": RunConfig(task="vector", time=1.0, alpha=100.0),
    "figure eight": RunConfig(task="plane_target", time=1.0, alpha=100.0),
}


def hypotheses(result: RunResult) -> list[Hypothesis]:
    """Return the assumptions of the theorem, checked on this run."""
    known = Constants.of(result)
    horizon = result.time[-1] if result.time.size else float("nan")
    return [
        check.gradient_flow(known),
        check.zero_start(known),
        check.smooth(known),
        check.lipschitz_gradient(known),
        Hypothesis("The time $T$ is fixed", True, f"T = {horizon:.4g}"),
    ]


def lines(result: RunResult, others: Mapping[str, RunResult]) -> list[Line]:
    """Return the displacement under its bound, and both gaps, which have rates only.

    The bound √(t R(αh(w0)))/α needs nothing but gradient flow: Cauchy–Schwarz along the path.
    """
    known, time = Constants.of(result), result.time
    bound = np.array(
        [lazy.predicted_displacement(float(t), known.initial_loss, known.alpha) for t in time]
    )
    moved = result.series["nonlinear.displacement"]
    gaps = (("‖w − w̄‖", "weight units", "gap.parameter"),)
    gaps += (("‖αh − αh̄‖", "output units", "gap.train_output"),)
    return [
        Line("‖w − w₀‖", "weight units", time, moved, bound if known.is_flow else None, BOUND),
        *(Line(name, unit, time, result.series[key], model="gap") for name, unit, key in gaps),
    ]


def rates(results: Sequence[RunResult]) -> list[Rate]:
    """Return the exponents in α of the largest displacement and gaps, with their intervals.

    As expected for α → ∞: −1, −2 and −1; −2 for the output gap of paired neurons.
    """
    config = results[0].config or {}
    zero = config.get("zero_output") != "none"
    gap = lazy.predicted_gap_slope(config.get("zero_output"), bounded_slope(config))
    return [
        exponent(results, "‖w − w₀‖", "nonlinear.displacement", -1.0 if zero else None),
        exponent(results, "‖w − w̄‖", "gap.parameter", -2.0 if zero else None),
        exponent(results, "‖αh − αh̄‖", "gap.train_output", gap),
    ]


def exponent(results: Sequence[RunResult], name: str, series: str, expected: float | None) -> Rate:
    """Return the exponent in α of the largest value over time of a recorded quantity."""
    alphas = [Constants.of(result).alpha for result in results]
    largest = [_largest(result.series.get(series)) for result in results]
    found = lazy.slope(alphas, largest)
    over = f"α = {min(alphas):g} … {max(alphas):g}, N = {len(alphas)}"
    return Rate(f"power of α of {name}", expected, *found, over=over, at_most=True)


def _largest(values: np.ndarray | None) -> float:
    if values is None:
        return float("nan")
    return float(np.max(values[np.isfinite(values)], initial=-np.inf))


THEOREM = Theorem(
    name="Theorem 2.2",
    title="Theorem 2.2: lazy over a finite time",
    statement=STATEMENT,
    source="Theorem 2.2 and its proof",
    examples=EXAMPLES,
    hypotheses=hypotheses,
    lines=lines,
    rates=rates,
    alphas=ALPHAS,
    slopes=True,
    remark="In print the bound has F_α(w_α(t)) under the root; it must be taken at t = 0. O(·) is "
    "an upper bound: a steeper power agrees with it, as that of the figure eight, where "
    "D²h(w₀) = 0.",
    order=22,
)
