"""What the tangent kernel knows of what was learned (Geiger, Spigler, Jacot & Wyart 2020).

arXiv:1906.08034; its α̃ = √m·α tells the regimes apart: 1e-2 and below learns features, 1e4 is
lazy. Softplus with β = 5 and unit gain, the soft hinge with β = 20, flow until all margins are 1.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.papers.claim import Check, Row
from lazycore.papers.feature_lazy.claims.exponents import at_end, setting
from lazycore.results.quantities.kernel import ALIGNMENT
from lazycore.results.run import RunResult

FEATURE, DEEP_IN_FEATURE, LAZY = 1e-2, 1e-4, 1e4
SEEDS = (0, 1, 2)

DIGITS: dict[str, Any] = {"n_test": 500, "depth": 3}
STRIPE: dict[str, Any] = {"task": "stripe", "n_train": 200, "n_test": 500, "depth": 1}


def trained(data: Mapping[str, Any], scale: float, seed: int, **more: Any) -> RunConfig:
    """Return the run at √m·α = `scale` on these data."""
    return setting(scale, **data, data_seed=seed, init_seed=seed, **more)


def _mean(results: Mapping[str, RunResult], name: str, of: int) -> float:
    return float(np.mean([result.sparse[name][of] for result in results.values()]))


def _judge_frozen(data: str, doubles: bool, results: Mapping[str, RunResult]) -> list[Row]:
    """Return whether the final kernel is as good as the network, and the initial one worse."""
    network = float(np.mean([at_end(r, "nonlinear.test_error") for r in results.values()]))
    first, last = (_mean(results, "frozen.test_error", of) for of in (0, -1))
    last_layer = _mean(results, "frozen_last_layer.test_error", -1)
    correlations = [float(r.latest["frozen.correlation"][-1]) for r in results.values()]
    least = min(correlations)
    text = f"{last:.3f} against {network:.3f}, last layer's alone {last_layer:.3f}"
    return [
        Row(
            f"{data}: outputs of the final kernel, frozen, are the network's",
            f"correlation {least:.3f} at least of {len(correlations)} seeds",
            "> 0.97",
            least > 0.97,
        ),
        Row(f"{data}: and its test error", text, "network + 0.02", last <= network + 0.02),
        Row(
            f"{data}: that of the initial kernel over the network's",
            f"{first:.3f} / {network:.3f} = {first / network:.2f}",
            "≥ 2" if doubles else "shown",
            first >= 2.0 * network if doubles else None,
        ),
    ]


def _judge_alignment(results: Mapping[str, RunResult]) -> list[Row]:
    """Return by how much the alignment of kernel and labels grows in either regime."""
    rows = []
    for label, result in results.items():
        alignment = ALIGNMENT.values(result)
        gain, lazy = float(alignment[-1] / alignment[0]), label.startswith("lazy")
        rows.append(
            Row(
                f"alignment yᵀΘy/(‖Θ‖‖y‖²), {label}",
                f"{alignment[0]:.4f} → {alignment[-1]:.4f}, × {gain:.4f}",
                "within 2 %" if lazy else "> × 1.5",
                abs(gain - 1.0) < 0.02 if lazy else gain > 1.5,
            )
        )
    return rows


def _judge_stripe(results: Mapping[str, RunResult]) -> list[Row]:
    """Return whether features are worth it on a stripe, and whether they compress."""
    groups = {
        name: [result for label, result in results.items() if label.startswith(name)]
        for name in ("feature", "lazy")
    }
    errors = {k: np.mean([at_end(r, "nonlinear.test_error") for r in v]) for k, v in groups.items()}
    ratios = {k: [at_end(r, "compression") for r in v] for k, v in groups.items()}
    off = max(abs(value - 1.0) for value in ratios["lazy"])
    return [
        Row(
            "stripe: test error where features are learned, and lazily",
            f"{errors['feature']:.3f} and {errors['lazy']:.3f}",
            "less than half",
            bool(errors["feature"] < 0.5 * errors["lazy"]),
        ),
        Row(
            "stripe: Λ = rms w∥/rms w⊥ where features are learned",
            ", ".join(f"{value:.2f}" for value in ratios["feature"]),
            "> 4",
            min(ratios["feature"]) > 4.0,
        ),
        Row(
            "stripe: Λ lazily",
            ", ".join(f"{value:.3f}" for value in ratios["lazy"]),
            "1 ± 0.1",
            off <= 0.1,
        ),
    ]


def _frozen_runs(data: Mapping[str, Any]) -> dict[str, RunConfig]:
    return {f"seed {seed}": trained(data, FEATURE, seed, keep="kernels") for seed in SEEDS}


CHECKS = (
    Check(
        name="final-kernel-digits",
        source="as Figure 9 and Appendix C of v1 of Geiger et al. 2020, three layers, 8 × 8 digits",
        runs=_frozen_runs(DIGITS),
        judge=partial(_judge_frozen, "digits", False),
    ),
    Check(
        name="final-kernel-stripe",
        source="the same on a stripe in ten dimensions, one hidden layer",
        runs=_frozen_runs(STRIPE),
        judge=partial(_judge_frozen, "stripe", True),
    ),
    Check(
        name="kernel-alignment",
        source="Geiger et al. 2020: the kernel of the feature regime comes to know the labels",
        runs={
            f"{regime}, {depth} hidden": trained(DIGITS | {"depth": depth}, scale, 0)
            for regime, scale in (("feature", DEEP_IN_FEATURE), ("lazy", LAZY))
            for depth in (1, 3)
        },
        judge=_judge_alignment,
    ),
    Check(
        name="stripe-compression",
        source="Paccolat et al. 2021 (arXiv:2007.11471), with the losses of Geiger et al. 2020",
        runs={
            f"{regime}, seed {seed}": trained(STRIPE, scale, seed)
            for regime, scale in (("feature", FEATURE), ("lazy", LAZY))
            for seed in SEEDS[:2]
        },
        judge=_judge_stripe,
    ),
)
