"""Figure 2(b) of Chizat, Oyallon & Bach (2019, arXiv:1812.07956): the population loss."""

from collections.abc import Mapping

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.papers.claim import Check, Row
from lazycore.papers.lazy_training.figures import figure_2b
from lazycore.papers.tables import configs, gathered
from lazycore.results.run import RunResult

TAUS = (0.1, figure_2b.TAUS[6], 1.0, 8.0)
"""Below the rise, on it, above it, and the plateau."""
JOBS = figure_2b.as_authors(TAUS, range(1))
WINDOW, STILL, SETTLED = 0.1, 0.95, 0.02
"""The last tenth of the steps against the tenth before: below 0.95 the loss still falls."""


def settling(result: RunResult) -> float:
    """Return the mean recorded test loss of the last tenth of the run over the tenth before."""
    share = result.time / result.time[-1]
    loss = result.series["nonlinear.test_loss"]
    last = loss[share > 1.0 - WINDOW].mean()
    return float(last / loss[(share > 1.0 - 2.0 * WINDOW) & (share <= 1.0 - WINDOW)].mean())


def _tau(config: RunConfig) -> float:
    assert config.init_scale is not None
    return config.init_scale


def _judge(results: Mapping[str, RunResult]) -> list[Row]:
    found = gathered(JOBS, results)
    rows = figure_2b.agreement(found)
    for digest, config in configs(JOBS).items():
        tau, ratio = _tau(config), settling(results[digest])
        if tau < TAUS[1]:
            continue
        on_the_rise = np.isclose(tau, TAUS[1])
        holds = ratio <= STILL if on_the_rise else abs(ratio - 1.0) <= SETTLED
        rows.append(
            Row(
                f"Fig. 2(b), τ = {tau:.3g}: last 2,000 steps over the 2,000 before",
                f"{ratio:.3f}",
                f"≤ {STILL:g}: not converged" if on_the_rise else "1 ± 0.02: converged",
                holds,
            )
        )
    return rows


CHECKS = (
    Check(
        name="figure-2b",
        source="Chizat, Oyallon & Bach 2019, Figure 2(b)",
        runs=configs(JOBS),
        judge=_judge,
        slow=True,
    ),
)
