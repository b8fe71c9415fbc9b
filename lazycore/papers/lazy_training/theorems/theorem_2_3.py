"""Theorem 2.3: the square loss over a finite time, with every constant written out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.config.spec import bounded_slope
from lazycore.papers.lazy_training.theorems import _hypotheses as check
from lazycore.papers.lazy_training.theorems._constants import Constants
from lazycore.papers.lazy_training.theorems.theorem_2_2 import exponent
from lazycore.papers.theorem import BOUND, OUTSIDE, Hypothesis, Line, Rate, Theorem
from lazycore.results.run import RunResult
from lazycore.theory.lazy import predicted_gap_slope, smallest_radius, theorem_2_3

STATEMENT = r"""
Let $R(y) = \frac12‖y - y^*‖^2$, and on the ball of radius $r$ round $w_0$ let $h$ be
$\mathrm{Lip}(h)$- and $Dh$ be $\mathrm{Lip}(Dh)$-Lipschitz. For $K > 0$ and
$T = K/\mathrm{Lip}(h)^2$, if $α ≥ K ‖α h(w_0) - y^*‖/ (r\,\mathrm{Lip}(h))$, then

$$
\frac{‖α h(w_α(T)) - α \bar h(\bar w_α(T))‖}{‖α h(w_0) - y^*‖} ≤ \frac{K^2}{α}
\frac{\mathrm{Lip}(Dh)}{\mathrm{Lip}(h)^2} ‖α h(w_0) - y^*‖ =: ε_α.
$$

The proof also gives $‖w_α(t) - w_0‖ ≤ t\,\mathrm{Lip}(h)\,‖αh(w_0) - y^*‖/α$ and
$α\,\mathrm{Lip}(h)\,‖w_α(T) - \bar w_α(T)‖/ ‖αh(w_0) - y^*‖ ≤ ε_α\,(2 + 4K/3)$.
Here $h(w_0) = 0$ is *not* required. $K$ counts steps of size $1/\mathrm{Lip}(h)^2$.
"""

_NETWORK: dict[str, Any] = {
    "task": "teacher",
    "dim": 5,
    "n_train": 10,
    "n_test": 0,
    "width": 20,
    "activation": "tanh",
}

EXAMPLES = {
    "quadratic model": RunConfig(task="vector", time=5.0, alpha=100.0),
    "figure eight": RunConfig(task="plane_target", time=5.0, alpha=100.0),
    "tanh network, one hidden layer": RunConfig(**_NETWORK, time=20.0, alpha=100.0),
    "h(w₀) ≠ 0": RunConfig(**_NETWORK, time=20.0, alpha=100.0, zero_output="none"),
    "three layers: estimated constants": RunConfig(
        **_NETWORK, model="fully_connected", depth=2, time=10.0, alpha=100.0
    ),
    "ReLU network: not smooth": RunConfig.from_dict(
        _NETWORK | {"activation": "relu", "time": 20.0, "alpha": 100.0}
    ),
}


def radii(result: RunResult) -> np.ndarray:
    """Return, per time, the smallest r for which the hypothesis on α holds; ∞ without one."""
    problem = _problem(Constants.of(result))
    return np.array([smallest_radius(float(t), **problem) for t in result.time])


def hypotheses(result: RunResult) -> list[Hypothesis]:
    """Return the assumptions of the theorem, checked on this run."""
    known = Constants.of(result)
    return [
        check.gradient_flow(known),
        check.square_loss(known),
        check.smooth(known),
        _constants(known),
        _ball(result, known),
    ]


def _constants(known: Constants) -> Hypothesis:
    text = "$\\mathrm{Lip}(h)$ and $\\mathrm{Lip}(Dh)$ are known on a ball round $w_0$"
    kind, reason = known.get("curvature_kind"), known.get("curvature_reason")
    if kind is None:
        return Hypothesis(text, None, "not recorded by this run: run it again")
    if kind == "upper bound":
        return Hypothesis(text, True, f"upper bounds, {reason}")
    return Hypothesis(text, False if kind == "unknown" else None, f"{kind}: {reason}")


def _ball(result: RunResult, known: Constants) -> Hypothesis:
    text = "$α ≥ K ‖αh(w_0) - y^*‖/(r\\,\\mathrm{Lip}(h))$ for some $r$, up to the end $T$"
    if known.kind is None:
        return Hypothesis(text, None, "needs both constants")
    found = radii(result)
    if np.isfinite(found[-1]):
        r = float(found[-1])
        lip, bend = known.lipschitz(r), known.curvature(r)
        # By constants from below it is not confirmed, though it could be refuted.
        exact = known.kind == BOUND
        sign = "≤" if exact else "about"
        said = f"r = {r:.3g}: Lip(h) {sign} {lip:.4g}, Lip(Dh) {sign} {bend:.4g}"
        said = f"{said}, K = T Lip(h)² = {result.time[-1] * lip**2:.4g}"
        return Hypothesis(text, True if exact else None, said)
    until = float(result.time[np.isfinite(found)].max(initial=0.0))
    return Hypothesis(text, False, f"only up to t = {until:.3g}: raise α or shorten T")


def lines(result: RunResult, others: Mapping[str, RunResult]) -> list[Line]:
    """Return gap, displacement and parameter gap under their bounds, where there are any.

    Each time t is a T of its own, with K = t Lip(h)² and the smallest ball that will do.
    """
    known, time = Constants.of(result), result.time
    shown = [
        ("‖αh − αh̄‖", "output units", "gap.train_output", "gap"),
        ("‖w − w₀‖", "weight units", "nonlinear.displacement", "nonlinear"),
        ("‖w − w̄‖", "weight units", "gap.parameter", "gap"),
    ]
    if known.kind is None:
        return [Line(n, u, time, result.series[key], model=model) for n, u, key, model in shown]
    kind = known.kind if known.is_flow and known.loss["quadratic"] else OUTSIDE
    floors = {"gap.train_output": result.numerical_error}
    return [
        Line(name, unit, time, result.series[key], bound, kind, model, floor=floors.get(key, 0.0))
        for (name, unit, key, model), bound in zip(shown, bounds(result), strict=True)
    ]


def bounds(result: RunResult) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the bounds on gap, displacement and parameter gap at each time, NaN without."""
    known, time = Constants.of(result), result.time
    gap = theorem_2_3(time, **_problem(known))
    lip = np.array([known.lipschitz(r) if np.isfinite(r) else np.nan for r in radii(result)])
    moved = time * lip * float(known.get("initial_residual")) / known.alpha
    apart = gap * (2.0 + 4.0 * time * lip**2 / 3.0) / (known.alpha * lip)
    return gap, moved, apart


def _problem(known: Constants) -> dict[str, Any]:
    """Return what `theory.theorem_2_3` needs to know of the problem."""
    return {
        "residual": float(known.get("initial_residual")),
        "alpha": known.alpha,
        "differential": float(known.get("differential_norm")),
        "curvature": known.curvature,
    }


def rates(results: Sequence[RunResult]) -> list[Rate]:
    """Return the exponents in α of the gaps, at fixed time."""
    config = results[0].config or {}
    gap = predicted_gap_slope(config.get("zero_output"), bounded_slope(config))
    return [
        exponent(results, "‖αh − αh̄‖", "gap.train_output", gap),
        exponent(results, "‖w − w̄‖", "gap.parameter", None if gap == 1.0 else -2.0),
    ]


THEOREM = Theorem(
    name="Theorem 2.3",
    title="Theorem 2.3: square loss, every constant explicit",
    statement=STATEMENT,
    source="Theorem 2.3 and Appendix B.2",
    examples=EXAMPLES,
    hypotheses=hypotheses,
    lines=lines,
    rates=rates,
    slopes=True,
    alphas=(30.0, 100.0, 300.0, 1000.0),
    remark="The theorem's growth with K is K²; what is measured stays far below.",
    order=23,
)
