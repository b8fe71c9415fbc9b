"""A stage whose steps are too large for its linear model diverges; a cap on η keeps it stable."""

from collections.abc import Mapping

import numpy as np

from lazycore.papers.claim import Check, Row
from lazycore.papers.iterative_linearization.claims._oracle import SOURCE
from lazycore.papers.iterative_linearization.claims.parity import parity
from lazycore.results.run import RunResult

UNSTABLE = {"n_train": 150, "bias": "normal", "bias_gain": 0.1, "refresh_every": 2500}
"""Where λ_max grows beyond what the steps of the second stage allow: K = 5000 steps of half the
size in the flow time of these."""
STABLE, LEFT = 2.0, 1e-3


def _divergence(results: Mapping[str, RunResult]) -> list[Row]:
    """Return how both paths end whose second stage is unstable, one with its steps capped."""
    free, capped = (results[cap].to_dict()["refreshed"] for cap in ("none", "stable"))
    largest = max((s for s in free["stability"] if s is not None), default=np.inf)
    first, last = capped["train_loss"][0], capped["train_loss"][-1]
    left = np.inf if last is None else last / first
    return [
        Row("largest ηλ_max(Θ_s) of a stage", f"{largest:.2f}", f"> {STABLE:g}", largest > STABLE),
        Row("how its path ends", free["status"], "diverged", free["status"] == "diverged"),
        Row("with steps capped at 1/λ_max(Θ_s)", capped["status"], "done", left < np.inf),
        Row("training loss then, over the first", f"{left:.1e}", f"< {LEFT:g}", left < LEFT),
    ]


CHECKS = (
    Check(
        name="iterative-linearization-divergence",
        source=SOURCE,
        runs={cap: parity(6, **UNSTABLE, refresh_cap=cap) for cap in ("none", "stable")},
        judge=_divergence,
    ),
)
