"""How long learning takes, and how outputs and weights move."""

from collections.abc import Mapping

import numpy as np

from lazycore.papers.claim import Check, Row
from lazycore.papers.feature_lazy.claims.exponents import SOURCE, at_end, setting, within
from lazycore.papers.feature_lazy.claims.kernel import LAZY, RICH, exponent_runs
from lazycore.results.run import RunResult
from lazycore.theory.lazy import rich_weight_exponent, slope

PLATEAU = (1e-4, 1e-3, 1e-2)
TIME_WIDTHS = (25, 50, 100, 200, 400)
WEIGHTS = {1: 0.51, 2: 0.37, 3: 0.30}
"""Slopes of √h ‖Δw‖/‖w₀‖ over the rich scales, as measured elsewhere; theory says 1/(L + 1)."""


def _half_time(result: RunResult) -> float:
    found = result.latest.get("nonlinear.half_time")
    return float("nan") if found is None else float(found)


def _times(results: Mapping[str, RunResult]) -> list[Row]:
    rows = []
    for depth in (2, 3):
        scaled = [_half_time(results[f"{depth} {scale:g}"]) / scale for scale in PLATEAU]
        spread = max(scaled) / min(scaled) - 1.0
        said = f"{spread:.0%} ({', '.join(f'{value:.2f}' for value in scaled)})"
        claim = f"t_(L/2)/(√h α) at √h α = 1e-4 to 1e-2, L = {depth}: spread"
        rows.append(Row(claim, said, "≤ 20 %", spread <= 0.2))
        found = slope(PLATEAU, [_half_time(results[f"{depth} {s:g}"]) for s in PLATEAU])[0]
        claim = f"t_(L/2) against √h α, rich, L = {depth}"
        rows.append(Row(claim, f"{found:.3f}", "1 ± 0.1", within(found, 0.9, 1.1)))
    scaled = [_half_time(results[f"h {h}"]) / 1e-2 for h in TIME_WIDTHS]
    off = float(np.max(np.abs(np.array(scaled) / np.mean(scaled) - 1.0)))
    said = f"{off:.0%} ({', '.join(f'{value:.2f}' for value in scaled)})"
    claim = "t_(L/2)/(√h α) at √h α = 1e-2, h = 25 to 400, L = 2: off the mean"
    rows.append(Row(claim, said, "≤ 15 %", off <= 0.15))
    for depth in (1, 2, 3):
        ratios = [_half_time(results[f"{depth} {scale:g}"]) / scale for scale in LAZY]
        found = slope(LAZY, ratios)[0]
        claim = f"t_(L/2)/(√h α) against √h α, lazy, L = {depth}"
        rows.append(Row(claim, f"{found:.3f}", "-1 ± 0.03", within(found, -1.03, -0.97)))
    return rows


def _early_outputs(results: Mapping[str, RunResult]) -> list[Row]:
    result = results["2 0.01"]
    share = result.time / _half_time(result)
    kept = (share >= 0.03) & (share <= 0.1)
    change = result.series["nonlinear.output_change"][kept]
    found = slope(result.time[kept].tolist(), change.tolist())[0]
    claim = "‖f − f₀‖ against t from 0.03 to 0.1 t_(L/2), √h α = 0.01"
    return [Row(claim, f"{found:.3f}", "1 ± 0.1", within(found, 0.9, 1.1))]


def _weights(results: Mapping[str, RunResult]) -> list[Row]:
    rows = []
    for depth, known in WEIGHTS.items():
        for scales, wanted, regime in ((LAZY, 1.0, "lazy"), (RICH, known, "rich")):
            moved = [at_end(results[f"{depth} {s:g}"], "nonlinear.displacement") for s in scales]
            found = -slope(scales, moved)[0]
            allowed = f"{wanted:.2f} ± 0.1"
            if regime == "rich":
                allowed += f" (theory {rich_weight_exponent(depth):.2f})"
            claim = f"b of ‖Δw‖ ∝ (√h α)^−b, {regime}, L = {depth}"
            held = within(found, wanted - 0.1, wanted + 0.1)
            rows.append(Row(claim, f"{found:.3f}", allowed, held))
    return rows


BOTH = exponent_runs(RICH) | exponent_runs(LAZY)
CHECKS = (
    Check(
        name="feature-lazy-times",
        source=SOURCE,
        runs=BOTH | {f"h {h}": setting(1e-2, width=h) for h in TIME_WIDTHS},
        judge=_times,
    ),
    Check(
        name="feature-lazy-early-outputs",
        source=SOURCE,
        runs={"2 0.01": BOTH["2 0.01"]},
        judge=_early_outputs,
    ),
    Check(
        name="feature-lazy-weights",
        source=SOURCE,
        runs=BOTH,
        judge=_weights,
    ),
)
