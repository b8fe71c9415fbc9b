"""Theorem 2.5: under-parameterised, a lazy flow ends in a local minimum."""

from collections.abc import Mapping, Sequence

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.papers.lazy_training.theorems import _hypotheses as check
from lazycore.papers.lazy_training.theorems._constants import Constants
from lazycore.papers.theorem import GUIDE, Hypothesis, Line, Rate, Theorem
from lazycore.results.run import RunResult
from lazycore.theory.lazy import decay_rate

STATEMENT = r"""
Let $R$ be strongly convex, $h(w_0) = 0$, and let the rank of $Dh(w)$ be constant near $w_0$ (it may
be less than the number of outputs). Then there is an $α_0$ such that for all $α ≥ α_0$ the flow
converges *geometrically*, at a rate that does not depend on $α$ in the limit, to a **local**
minimum of $F_α$.

For the square loss that rate tends to $σ_r^2$, the square of the smallest positive singular value
of $Dh(w_0)$, and the limit to the optimum of the linearised model, the foot of the perpendicular
on its tangent space. Far better points may exist elsewhere on the manifold: a lazy flow
does not see them.
"""

EXAMPLES = {
    "figure eight": RunConfig(task="plane_target", time=12.0, alpha=3.0, tolerance=1e-6),
    "quadratic model, 6 weights, 40 outputs": RunConfig.from_dict(
        {
            "task": "vector",
            "target_size": 40,
            "weights": 6,
            "time": 25.0,
            "alpha": 10.0,
            "tolerance": 1e-6,
        }
    ),
    "tanh network, 3 units, 50 points": RunConfig(
        task="sine", n_train=50, n_test=0, width=3, activation="tanh", time=3000.0, alpha=100.0
    ),
    "paired neurons: the rank is not constant": RunConfig(
        task="teacher",
        dim=2,
        n_train=30,
        n_test=0,
        width=8,
        activation="tanh",
        zero_output="symmetrized",
        time=1000.0,
        alpha=100.0,
    ),
}


def hypotheses(result: RunResult) -> list[Hypothesis]:
    """Return the assumptions of the theorem, checked on this run."""
    known = Constants.of(result)
    return [
        check.gradient_flow(known),
        check.strongly_convex(known),
        check.smooth(known),
        check.zero_start(known),
        _constant_rank(known),
    ]


def _constant_rank(known: Constants) -> Hypothesis:
    text = "The rank of $Dh(w)$ is constant near $w_0$"
    here, there = known.get("rank"), known.get("rank_nearby")
    if here is None or there is None:
        return Hypothesis(text, None, "not recorded: known up to 200 outputs")
    said = f"{here} at w₀, {there} at a point nearby (numerical ranks)"
    return Hypothesis(text, here == there, said)


def distances(result: RunResult) -> dict[str, np.ndarray]:
    """Return, by model, how far its outputs are from where they end.

    From the outputs where they are recorded, else √(R − R at the end), which goes alike.
    """
    found = {}
    for model in ("nonlinear", "linearized"):
        outputs = result.series.get(f"{model}.outputs")
        losses = result.series[f"{model}.train_loss"]
        if outputs is not None:
            found[model] = np.sqrt(np.square(outputs - outputs[-1]).sum(2).mean(1))
        else:
            found[model] = np.sqrt(np.clip(losses - losses[-1], 0.0, None))
    return found


def lines(result: RunResult, others: Mapping[str, RunResult]) -> list[Line]:
    """Return the distance of both models to their limits, beside the slope e^{−σ_r² t}."""
    known, time = Constants.of(result), result.time
    sigma, shown = known.get("smallest_positive_singular_value"), distances(result)
    slope = None
    if sigma and known.loss["quadratic"]:
        slope = shown["linearized"][0] * np.exp(-(sigma**2) * time)
    names = {"nonlinear": "network", "linearized": "linearisation"}
    return [
        Line(
            names[model],
            "output units",
            time,
            y,
            slope,
            GUIDE,
            model,
            "distance to the limit",
            exponential=True,
        )
        for model, y in shown.items()
    ]


def rates(results: Sequence[RunResult]) -> list[Rate]:
    """Return the late rate of each run, which tends to σ_r² (square loss) as α grows."""
    found = []
    for result in results:
        known = Constants.of(result)
        sigma = known.get("smallest_positive_singular_value")
        expected = sigma**2 if sigma and known.loss["quadratic"] else None
        rate = decay_rate(result.time, distances(result)["nonlinear"])
        found.append(Rate("rate of convergence", expected, *rate, f"α = {known.alpha:g}"))
    return found


THEOREM = Theorem(
    name="Theorem 2.5",
    title="Theorem 2.5: under-parameterised, a local minimum",
    statement=STATEMENT,
    source="Theorem 2.5 and Figure 5",
    examples=EXAMPLES,
    hypotheses=hypotheses,
    lines=lines,
    rates=rates,
    alphas=(3.0, 10.0, 30.0, 100.0, 1000.0),
    remark="The theorem is qualitative: rates are measured, no bound is drawn.",
    order=25,
)
