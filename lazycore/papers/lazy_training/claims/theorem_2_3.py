"""Theorem 2.3 of Chizat, Oyallon & Bach (2019, arXiv:1812.07956): three ratios to their bounds.

The quadratic model, whose Lip(Dh) ≤ √λ_max(Σ B_i²) everywhere. For a ball of radius r and a K,
α is a multiple of the smallest one that the theorem allows.
"""

from collections.abc import Mapping

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.models.quadratic import LARGEST_SINGULAR_VALUE
from lazycore.papers.claim import Check, Row
from lazycore.papers.lazy_training.theorems._constants import Constants
from lazycore.results.run import RunResult

RADII = (0.05, 0.2, 0.5)
STEPS = (0.5, 3.0, 10.0, 30.0)
MULTIPLES = (1.0, 3.0, 10.0, 100.0)
TARGET, BEND = 1.0, 1.0


def _lipschitz(radius: float) -> float:
    """Return ‖A‖ + r Lip(Dh), which bounds Lip(h) on the ball."""
    return LARGEST_SINGULAR_VALUE + radius * BEND


def _run(radius: float, k: float, multiple: float) -> RunConfig:
    lipschitz = _lipschitz(radius)
    return RunConfig(
        task="vector",
        time=k / lipschitz**2,
        alpha=multiple * k * TARGET / (radius * lipschitz),
        tolerance=1e-4,
    )


RUNS = {f"r={r:g} K={k:g} {c:g}×": _run(r, k, c) for r in RADII for k in STEPS for c in MULTIPLES}


def ratios(result: RunResult, radius: float, k: float) -> tuple[float, float, float]:
    """Return gap, displacement and parameter gap at T over their bounds on this ball."""
    known = Constants.of(result)
    alpha, lipschitz, target = known.alpha, _lipschitz(radius), known.get("initial_residual")
    share = k**2 / alpha * known.curvature(radius) / lipschitz**2 * target
    last = {name: float(values[-1]) for name, values in result.series.items() if values.ndim == 1}
    moved = np.nanmax(
        result.series["nonlinear.displacement"][1:] / (result.time[1:] * target * lipschitz / alpha)
    )
    apart = alpha * lipschitz * last["gap.parameter"] / target
    return (
        last["gap.train_output"] / target / share,
        float(moved),
        apart / (share * (2.0 + 4.0 * k / 3.0)),
    )


def _judge(results: Mapping[str, RunResult]) -> list[Row]:
    found = {
        (r, k, c): ratios(results[f"r={r:g} K={k:g} {c:g}×"], r, k)
        for r in RADII
        for k in STEPS
        for c in MULTIPLES
    }
    known = Constants.of(next(iter(results.values())))
    sizes = (known.get("differential_norm"), known.curvature(0.0), known.get("initial_residual"))
    wanted = (LARGEST_SINGULAR_VALUE, BEND, TARGET)
    same = bool(np.allclose(sizes, wanted, rtol=1e-6))
    said = ", ".join(f"{size:.6g}" for size in sizes)
    rows = [Row("‖A‖, Lip(Dh), ‖y*‖ as recorded", said, "1.5, 1, 1", same)]
    names = ("output gap", "displacement", "parameter gap")
    for number, name in enumerate(names):
        worst = max(found, key=lambda key: found[key][number])
        where = f"r = {worst[0]:g}, K = {worst[1]:g}, α = {worst[2]:g} × threshold"
        value = found[worst][number]
        claim = f"{name} over its bound, {len(found)} runs"
        rows.append(Row(claim, f"{value:.3g} at most, at {where}", "≤ 1", value <= 1.0))
    shares = [max(v[0] for key, v in found.items() if key[1] == k) for k in STEPS]
    said = ", ".join(f"{share:.2g} at K = {k:g}" for share, k in zip(shares, STEPS, strict=True))
    rows.append(Row("the theorem's K² is far above what grows", said, "shown", None))
    return rows


CHECKS = (
    Check(
        name="theorem-2.3",
        source="Chizat, Oyallon & Bach 2019, Theorem 2.3 and Appendix B.2",
        runs=RUNS,
        judge=_judge,
    ),
)
