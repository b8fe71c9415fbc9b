"""Figure 2(a) of Chizat, Oyallon & Bach (2019, arXiv:1812.07956): test loss against width."""

from collections.abc import Mapping

from lazycore.papers.claim import Check, Row
from lazycore.papers.lazy_training.figures import figure_2a
from lazycore.papers.tables import configs, gathered
from lazycore.results.run import RunResult

WIDTHS, SEEDS = (16, 32, 64), range(3)
JOBS = figure_2a.sweeps(WIDTHS, SEEDS)


def _judge(results: Mapping[str, RunResult]) -> list[Row]:
    found = gathered(JOBS, results)
    rows = [
        Row(
            f"Fig. 2(a), {one.line} at m = {x:g}, each of {count} seeds",
            ", ".join(f"{value:.3f}" for value in runs),
            "shown",
            None,
        )
        for one in figure_2a.lines(found)
        if one.runs is not None
        for x, count, runs in zip(one.x, one.counts, one.runs.T, strict=True)
    ]
    return rows + figure_2a.agreement(found)


CHECKS = (
    Check(
        name="figure-2a",
        source="Chizat, Oyallon & Bach 2019, Figure 2(a)",
        runs=configs(JOBS),
        judge=_judge,
        slow=True,
    ),
)
