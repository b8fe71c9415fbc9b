"""Theorem 2.4: over-parameterised and strongly convex, lazy for ever and to the minimum."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.papers.lazy_training.theorems import _hypotheses as check
from lazycore.papers.lazy_training.theorems._constants import Constants
from lazycore.papers.lazy_training.theorems.theorem_2_2 import exponent
from lazycore.papers.theorem import OUTSIDE, Hypothesis, Line, Rate, Theorem
from lazycore.results.run import RunResult
from lazycore.theory.lazy import decay_rate

STATEMENT = r"""
Let $R$ be $M$-smooth and $m$-strongly convex with minimiser $y^*$, $κ = M/m$, and let $Dh(w_0)$ be
surjective: $σ_{\min}$, the smallest singular value of $Dh(w_0)^⊤$, is positive. With

$$
C_0 = \frac{σ_{\min}^3}{32\, κ^{3/2}\, ‖Dh(w_0)‖\, \mathrm{Lip}(Dh)}, \qquad ‖h(w_0)‖ ≤ C_0,
\qquad α > ‖y^*‖/C_0,
$$

the flow converges to the global minimum: for all $t ≥ 0$

$$
‖α h(w_α(t)) - y^*‖ ≤ \sqrt κ\, ‖α h(w_0) - y^*‖\, e^{-m σ_{\min}^2 t/4}, \qquad
‖w_α(t) - w_0‖ ≤ \frac{8 κ^{3/2}}{α σ_{\min}^2} ‖Dh(w_0)‖\, ‖α h(w_0) - y^*‖.
$$

If $h(w_0) = 0$, uniformly in time: $‖w - w_0‖ = O(1/α)$, the output gap $O(1/α)$,
$‖w - \bar w‖ = O(\log α / α^2)$.
"""

_FOREVER: dict[str, Any] = {"task": "vector", "time": 60.0, "tolerance": 1e-4}
_NETWORK: dict[str, Any] = {
    "task": "teacher",
    "dim": 20,
    "n_train": 10,
    "n_test": 0,
    "width": 100,
    "activation": "tanh",
    "time": 400.0,
}

EXAMPLES = {
    "quadratic model": RunConfig(**_FOREVER, alpha=100.0),
    "quadratic model, κ = 4": RunConfig(**_FOREVER, alpha=500.0, loss="weighted_square"),
    "quadratic model, α too small": RunConfig(**_FOREVER, alpha=3.0),
    "tanh network, one hidden layer": RunConfig(**_NETWORK, alpha=1000.0),
    "tanh network, 100 points: σ_min small": RunConfig.from_dict(
        _NETWORK | {"n_train": 100, "dim": 5, "alpha": 1000.0}
    ),
    "ReLU network: not smooth": RunConfig.from_dict(
        _NETWORK | {"activation": "relu", "alpha": 1000.0}
    ),
    "logistic loss: not strongly convex": RunConfig(**_NETWORK, alpha=1000.0, loss="logistic"),
}


def condition(known: Constants) -> float:
    """Return κ = M/m of the loss, ∞ where it is not strongly convex."""
    convexity = known.loss.get("convexity", 0.0)
    return known.loss["curvature"] / convexity if convexity > 0.0 else float("inf")


def local_curvature(known: Constants, sigma: float) -> float:
    """Return inf {L: Dh is L-Lipschitz on the ball of radius σ_min/(2L)} from what is recorded.

    Which may stand for Lip(Dh) in the theorem. L decreases as the ball grows, and the bound on
    the ball increases with it: the crossing is found by bisection.
    """
    low, high = 1e-12, 1e12
    if known.curvature(sigma / (2.0 * low)) <= low:
        return low
    for _ in range(200):
        middle = (low * high) ** 0.5
        low, high = (
            (low, middle)
            if known.curvature(sigma / (2.0 * middle)) <= middle
            else (
                middle,
                high,
            )
        )
    return high


def threshold(known: Constants) -> float | None:
    """Return C₀; None where a constant is missing, 0 where Dh(w0) is not surjective."""
    sigma = known.get("smallest_singular_value")
    if known.kind is None or sigma is None:
        return None
    if sigma == 0.0:
        return 0.0
    bend = local_curvature(known, sigma) * float(known.get("differential_norm"))
    return sigma**3 / (32.0 * condition(known) ** 1.5 * bend)


def hypotheses(result: RunResult) -> list[Hypothesis]:
    """Return the assumptions of the theorem, checked on this run."""
    known = Constants.of(result)
    found = [
        check.gradient_flow(known),
        check.strongly_convex(known),
        check.smooth(known),
        _surjective(known),
    ]
    return [*found, *_scale(known)]


def _surjective(known: Constants) -> Hypothesis:
    text = "$Dh(w_0)$ is surjective: $σ_{\\min} > 0$"
    sigma, rank, outputs = (
        known.get(name) for name in ("smallest_singular_value", "rank", "outputs")
    )
    if sigma is None:
        return Hypothesis(text, None, "not recorded: known up to 200 outputs")
    said = f"rank {rank} of {outputs} outputs"
    return Hypothesis(text, sigma > 0.0, f"σ_min = {sigma:.3g}, {said}")


def _scale(known: Constants) -> list[Hypothesis]:
    texts = ("$‖h(w_0)‖ ≤ C_0$", "$α > ‖y^*‖/C_0$")
    limit = threshold(known)
    if limit is None:
        return [Hypothesis(text, None, "needs σ_min and Lip(Dh)") for text in texts]
    exact = known.get("curvature_kind") == "upper bound"
    start, target = known.get("initial_output"), known.get("target_norm")
    least = target / limit if limit > 0.0 else float("inf")
    said = "" if exact else ", by a Lip(Dh) that is an estimate from below"
    # An estimate from below makes C₀ too large: it can refute, not confirm.
    first, second = start <= limit, known.alpha > least
    return [
        Hypothesis(
            texts[0],
            first if exact or not first else None,
            f"{start:.3g} against C₀ = {limit:.3g}{said}",
        ),
        Hypothesis(
            texts[1],
            second if exact or not second else None,
            f"α = {known.alpha:g} against {least:.4g}{said}",
        ),
    ]


def distance_to_target(result: RunResult) -> np.ndarray | None:
    """Return ‖αh − y*‖ at each time: from the outputs, or from the square loss."""
    known = Constants.of(result)
    outputs, target = result.series.get("nonlinear.outputs"), known.get("target")
    if outputs is not None and target is not None:
        return np.sqrt(np.square(outputs - np.asarray(target)).sum(2).mean(1))
    if known.loss["quadratic"]:
        return np.sqrt(2.0 * result.series["nonlinear.train_loss"])
    return None


def lines(result: RunResult, others: Mapping[str, RunResult]) -> list[Line]:
    """Return the distance to the target and the displacement, under their bounds."""
    known, time = Constants.of(result), result.time
    distance, moved = distance_to_target(result), result.series["nonlinear.displacement"]
    decay, largest = bounds(result)
    kind = (known.kind or OUTSIDE) if _applies(result) else OUTSIDE
    found = []
    if distance is not None:
        # Outputs are good to the tolerance of the run, and no better.
        floor = float(known.config.get("tolerance") or 0.0) * float(distance[0])
        found.append(Line("‖αh − y*‖", "output units", time, distance, decay, kind, floor=floor))
    gap = result.series["gap.train_output"]
    return [
        *found,
        Line("‖w − w₀‖", "weight units", time, moved, largest, kind),
        Line("‖αh − αh̄‖", "output units", time, gap, model="gap"),
    ]


def _applies(result: RunResult) -> bool:
    """Whether no hypothesis fails; what is estimated from below says so by its kind."""
    return all(h.holds is not False for h in hypotheses(result))


def bounds(result: RunResult) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return the bounds on ‖αh − y*‖ and ‖w − w0‖ at each time, None without σ_min or m."""
    known, time = Constants.of(result), result.time
    sigma, residual = known.get("smallest_singular_value"), known.get("initial_residual")
    convexity, kappa = known.loss.get("convexity", 0.0), condition(known)
    if not sigma or not convexity or not residual:
        return None, None
    decay = kappa**0.5 * residual * np.exp(-convexity * sigma**2 * time / 4.0)
    differential = float(known.get("differential_norm"))
    largest = 8.0 * kappa**1.5 / (known.alpha * sigma**2) * differential * residual
    return decay, np.full(len(time), largest)


def rates(results: Sequence[RunResult]) -> list[Rate]:
    """Return the exponents in α, and the rate of decay of each run against mσ_min²/4."""
    found = [
        exponent(results, "‖w − w₀‖", "nonlinear.displacement", -1.0),
        exponent(results, "‖w − w̄‖", "gap.parameter", -2.0),
        exponent(results, "‖αh − αh̄‖", "gap.train_output", -1.0),
    ]
    for result in results:
        distance, known = distance_to_target(result), Constants.of(result)
        sigma = known.get("smallest_singular_value")
        if distance is not None and sigma:
            least = known.loss.get("convexity", 0.0) * sigma**2 / 4.0
            name = f"rate of decay (the theorem: at least {least:.3g})"
            found.append(
                Rate(name, None, *decay_rate(result.time, distance), f"α = {known.alpha:g}")
            )
    return found


THEOREM = Theorem(
    name="Theorem 2.4",
    title="Theorem 2.4: over-parameterised, lazy for ever",
    statement=STATEMENT,
    source="Theorem 2.4 and Appendix B.3",
    examples=EXAMPLES,
    hypotheses=hypotheses,
    lines=lines,
    rates=rates,
    alphas=(30.0, 100.0, 300.0, 1000.0),
    slopes=True,
    remark="The late rate is about mσ_min² or faster, at least four times what the theorem needs. "
    "The theorem's log α in ‖w − w̄‖ cannot be seen at these α.",
    order=24,
)
