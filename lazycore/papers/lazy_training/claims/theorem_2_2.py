"""Theorem 2.2 of Chizat, Oyallon & Bach (2019, arXiv:1812.07956): the three rates in α."""

from collections.abc import Mapping

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.papers.claim import Check, Row
from lazycore.papers.lazy_training.theorems import theorem_2_2
from lazycore.results.run import RunResult
from lazycore.theory.lazy import slope

ALPHAS = (10.0, 30.0, 100.0, 300.0, 1000.0)
TOLERANCE = 0.03
QUANTITIES = {
    "displacement": "nonlinear.displacement",
    "parameter gap": "gap.parameter",
    "output gap": "gap.train_output",
}


def _runs(loss: str, zero_output: str) -> dict[str, RunConfig]:
    return {
        f"{alpha:g}": RunConfig(
            task="teacher",
            dim=5,
            n_train=10,
            n_test=0,
            width=20,
            activation="tanh",
            scaling="plain",
            time=1.0,
            loss=loss,
            zero_output=zero_output,
            alpha=alpha,
        )
        for alpha in ALPHAS
    }


def measured_slope(results: Mapping[str, RunResult], quantity: str) -> float:
    """Return the exponent in α of the largest value over the run."""
    ordered = [results[f"{alpha:g}"] for alpha in ALPHAS]
    largest = [float(np.nanmax(r.series[QUANTITIES[quantity]])) for r in ordered]
    return slope(ALPHAS, largest)[0]


def _falls(loss: str, zero_output: str, expected: Mapping[str, float]) -> Check:
    def judge(results: Mapping[str, RunResult]) -> list[Row]:
        rows = []
        for quantity, exponent in expected.items():
            found = measured_slope(results, quantity)
            rows.append(
                Row(
                    f"{loss}, {zero_output}: {quantity} ∝ α^{exponent:g}",
                    f"{found:.4f}",
                    f"{exponent:g} ± {TOLERANCE}",
                    abs(found - exponent) <= TOLERANCE,
                )
            )
        return rows

    return Check(
        name=f"theorem-2.2-{loss}-{zero_output}",
        source="Chizat, Oyallon & Bach 2019, Theorem 2.2",
        runs=_runs(loss, zero_output),
        judge=judge,
    )


def _bound(results: Mapping[str, RunResult]) -> list[Row]:
    """Reference: .53 to .68."""
    ratios = [theorem_2_2.lines(result, {})[0].ratio for result in results.values()]
    found = [ratio for ratio in ratios if ratio is not None]
    said = f"{min(found):.3f} to {max(found):.3f} over {len(found)} values of α"
    claim = "sup ‖w − w₀‖ α/√(t R(0)), over every recorded time"
    return [Row(claim, said, "≤ 1 for every α", len(found) == len(ALPHAS) and max(found) <= 1.0)]


def _square_without_zero(results: Mapping[str, RunResult]) -> list[Row]:
    found = measured_slope(results, "output gap")
    claim = "square, h(w₀) ≠ 0: the output gap grows with α"
    return [Row(claim, f"{found:+.4f}", "> +0.9", found > 0.9)]


def _logistic_without_zero(results: Mapping[str, RunResult]) -> list[Row]:
    found = measured_slope(results, "output gap")
    claim = "logistic, h(w₀) ≠ 0: the output gap still falls (ℓ' is bounded)"
    return [Row(claim, f"{found:+.4f}", "< −0.8", found < -0.8)]


CENTERED = {"displacement": -1.0, "parameter gap": -2.0, "output gap": -1.0}
SYMMETRIZED = {"displacement": -1.0, "parameter gap": -2.0, "output gap": -2.0}

CHECKS = (
    Check(
        name="theorem-2.2-bound",
        source="Chizat, Oyallon & Bach 2019, proof of Theorem 2.2",
        runs=_runs("square", "centered"),
        judge=_bound,
    ),
    _falls("square", "centered", CENTERED),
    _falls("square", "symmetrized", SYMMETRIZED),
    _falls("logistic", "centered", CENTERED),
    _falls("logistic", "symmetrized", SYMMETRIZED),
    Check(
        name="theorem-2.2-square-none",
        source="negative control",
        runs=_runs("square", "none"),
        judge=_square_without_zero,
    ),
    Check(
        name="theorem-2.2-logistic-none",
        source="negative control",
        runs=_runs("logistic", "none"),
        judge=_logistic_without_zero,
    ),
)
