"""The error that a flow reports is not smaller than the error it has."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.papers.claim import Check, Row
from lazycore.results.run import RunResult

PROBLEMS = {
    "tanh, lazy": RunConfig(activation="tanh", alpha=100.0),
    "tanh, rich": RunConfig(activation="tanh", alpha=0.1),
    "softplus, logistic": RunConfig(task="circles", activation="softplus", loss="logistic"),
    "ReLU, lazy": RunConfig(alpha=100.0),
    "ReLU, rich": RunConfig(alpha=0.1),
}


def _check(name: str, config: RunConfig) -> Check:
    def judge(results: Mapping[str, RunResult]) -> list[Row]:
        coarse, fine = results["run"], results["tighter"]
        gaps = [r.series["gap.train_output"] for r in (coarse, fine)]
        error, said = float(np.nanmax(np.abs(gaps[0] - gaps[1]))), coarse.numerical_error
        claim = f"flow, {name}: the gap against a tenfold tighter run"
        return [Row(claim, f"{error:.1e}", f"≤ its numerical_error {said:.1e}", error <= said)]

    return Check(
        name=f"flow-{name.replace(', ', '-').lower()}",
        source="our own promise",
        runs={"run": config, "tighter": replace(config, tolerance=1e-4)},
        judge=judge,
    )


CHECKS = tuple(_check(name, config) for name, config in PROBLEMS.items())
