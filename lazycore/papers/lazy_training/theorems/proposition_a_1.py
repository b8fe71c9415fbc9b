"""Proposition A.1: where training is lazy, the network generalises like its tangent model."""

from collections.abc import Mapping, Sequence
from typing import Any

from lazycore.config.run import RunConfig
from lazycore.papers.lazy_training.theorems import _hypotheses as check
from lazycore.papers.lazy_training.theorems._constants import Constants
from lazycore.papers.lazy_training.theorems.theorem_2_2 import exponent
from lazycore.papers.theorem import Hypothesis, Line, Rate, Theorem
from lazycore.results.run import RunResult

STATEMENT = r"""
Let $‖w_α(T) - \bar w_α(T)‖ ≤ C \log α/α^2$ and $‖w_α(T) - w_0‖ ≤ C \log α/α$, and let
$M_1 = \sup_x ‖D_w f(w_0, x)‖$ and $M_2 = \sup_x \mathrm{Lip}(D_w f(\cdot, x))$ be finite. Then

$$
\sup_x ‖α f(w_α(T), x) - α \bar f(\bar w_α(T), x)‖ ≤ C\,\frac{\log α}{α}
\Big(M_1 + \tfrac12 C M_2 \log α\Big) → 0:
$$

off the training points too, the network becomes its tangent model, whose predictor for the square
loss is kernel regression with the tangent kernel.
"""

_PROBLEM: dict[str, Any] = {
    "task": "sine",
    "n_train": 20,
    "n_test": 100,
    "width": 30,
    "activation": "tanh",
    "time": 20.0,
    "alpha": 100.0,
}

EXAMPLES = {
    "tanh network on a sine": RunConfig(**_PROBLEM),
    "softplus network, circles": RunConfig(
        task="circles", activation="softplus", width=40, time=20.0, alpha=100.0
    ),
    "paired neurons": RunConfig(**_PROBLEM, zero_output="symmetrized"),
    "h(w₀) ≠ 0": RunConfig(**_PROBLEM, zero_output="none"),
    "ReLU network: kinks off the training points": RunConfig.from_dict(
        _PROBLEM | {"activation": "relu"}
    ),
}


def hypotheses(result: RunResult) -> list[Hypothesis]:
    """Return the assumptions of the proposition, checked on this run."""
    known = Constants.of(result)
    tested = "gap.test_output" in result.series
    rms = "rms over the test points, which is no supremum"
    return [
        check.gradient_flow(known),
        check.zero_start(known),
        check.smooth(known),
        Hypothesis(
            "There are points $x$ off the training set",
            tested,
            rms if tested else "no test points: set n_test",
        ),
    ]


def lines(result: RunResult, others: Mapping[str, RunResult]) -> list[Line]:
    """Return the output gap on test and on training points; there are rates only."""
    shown = [("on test points", "gap.test_output"), ("on training points", "gap.train_output")]
    return [
        Line(
            f"‖αf − αf̄‖ {name}",
            "output units",
            result.time,
            result.series[key],
            model="gap",
            group="‖αf − αf̄‖ on and off the training points",
        )
        for name, key in shown
        if key in result.series
    ]


def rates(results: Sequence[RunResult]) -> list[Rate]:
    """Return the exponents in α of the gaps on test and training points, and of ‖w − w̄‖."""
    zero = (results[0].config or {}).get("zero_output")
    # Between paired neurons the second-order terms cancel on every point alike.
    expected = {"none": None, "symmetrized": -2.0}.get(str(zero), -1.0)
    return [
        exponent(results, "the gap on test points", "gap.test_output", expected),
        exponent(results, "the gap on training points", "gap.train_output", expected),
        exponent(results, "‖w − w̄‖", "gap.parameter", None if zero == "none" else -2.0),
    ]


THEOREM = Theorem(
    name="Proposition A.1",
    title="Proposition A.1: generalises like the tangent model",
    statement=STATEMENT,
    source="Proposition A.1",
    examples=EXAMPLES,
    hypotheses=hypotheses,
    lines=lines,
    rates=rates,
    alphas=(30.0, 100.0, 300.0, 1000.0, 3000.0),
    slopes=True,
    remark="Measured is the rms over test points, not the supremum. The bound on ‖w − w₀‖ is "
    "needed too: in print it is left out, and follows from Theorems 2.2 and 2.4.",
    order=31,
)
