"""Initial scale and α are one dial for a homogeneous network (arXiv:1812.07956, §1.3)."""

from collections.abc import Mapping

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.papers.claim import Check, Row
from lazycore.results.run import RunResult

SCALE, STEP, STEPS = 3.0, 0.2, 2000


def _run(alpha: float, init_scale: float, step_size: float) -> RunConfig:
    return RunConfig(
        task="teacher",
        dim=5,
        n_train=20,
        n_test=20,
        width=30,
        zero_output="none",
        dynamics="gd",
        steps=STEPS,
        alpha=alpha,
        init_scale=init_scale,
        step_size=step_size,
    )


def _judge(results: Mapping[str, RunResult]) -> list[Row]:
    by_alpha, by_scale = results["alpha"].series, results["init_scale"].series
    pairs = [
        (by_alpha["nonlinear.train_loss"], by_scale["nonlinear.train_loss"]),
        (by_alpha["nonlinear.test_loss"], by_scale["nonlinear.test_loss"]),
        (by_alpha["nonlinear.displacement"] * SCALE, by_scale["nonlinear.displacement"]),
    ]
    worst = max(float(np.max(np.abs(a - b)) / np.max(np.abs(b))) for a, b in pairs)
    claim = "W = λw for α = λ², step η/λ²: one path, whichever dial is turned"
    return [Row(claim, f"{worst:.1e} after {STEPS} steps", "≤ 1e-12", worst <= 1e-12)]


CHECKS = (
    Check(
        name="homogeneity",
        source="Chizat, Oyallon & Bach 2019, §1.3, for two-layer ReLU without bias (q = 2)",
        runs={
            "alpha": _run(SCALE**2, 1.0, STEP),
            "init_scale": _run(1.0, SCALE, STEP / SCALE**2),
        },
        judge=_judge,
    ),
)
