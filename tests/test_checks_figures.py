"""The checks of the figures: made-up runs that follow the paper pass, others do not."""

import numpy as np
import pytest
from test_reproductions import made_up

from lazycore.config.run import RunConfig
from lazycore.papers.claim import collect
from lazycore.papers.lazy_training.claims import figure_1c, figure_2a, figure_2b, figure_4
from lazycore.papers.lazy_training.figures import _reported
from lazycore.papers.lazy_training.figures import figure_2b as population
from lazycore.papers.tables import configs
from lazycore.results.run import RunResult, Snapshot

END = _reported.curve("1c", "end of training")


def check_of(file, name):
    return next(check for check in file.CHECKS if check.name == name)


def judged(check, law):
    """Return the verdicts of the check on runs whose test loss ends at law(resolved config)."""
    results = {d: made_up(c, law(c.resolve())) for d, c in check.runs.items()}
    return [row for row in check.judge(results) if row.passed is not None]


def as_reported(config: RunConfig, factor: float = 1.0) -> float:
    return factor * 1e-3 * float(np.interp(np.log(config.init_scale), np.log(END.x), END.mean))


def test_the_checks_of_the_figures_are_the_papers_and_the_long_ones_are_slow():
    found = {c.name: c for c in collect() if "figure" in c.name and c.name != "figure-eight"}
    assert {"figure-1ab", "figure-1c", "figure-1c-short", "figure-2a", "figure-2b"} < found.keys()
    assert {check.paper for check in found.values()} == {"lazy-training"}
    own = [*figure_1c.CHECKS, *figure_2a.CHECKS, *figure_2b.CHECKS, *figure_4.CHECKS]
    assert {c.name for c in own if not c.slow} == {"figure-1c-short", "figure-4"}
    assert len(check_of(figure_1c, "whole-figure-1c").runs) == 330


def test_figure_1c_passes_on_what_was_reported_and_fails_on_a_flat_line():
    for name in ("figure-1c-short", "figure-1c"):
        check = check_of(figure_1c, name)
        rows = judged(check, as_reported)
        best = [row for row in rows if ": best" in row.claim or row.claim.startswith("best")]
        assert all(row.passed for row in rows if row not in best), rows
        assert not all(row.passed for row in judged(check, lambda c: 1e-3))


def test_the_whole_of_figure_1c_is_judged_by_its_points():
    check = check_of(figure_1c, "whole-figure-1c")
    rows = judged(check, lambda c: as_reported(c, 1.0 + 0.05 * (c.seed - 4.5)))
    assert rows[0].passed and rows[0].measured.startswith("33 of 33")
    assert not judged(check, lambda c: as_reported(c, 2.0))[0].passed


def test_figure_2a_fails_when_both_scalings_end_alike():
    rows = judged(figure_2a.CHECKS[0], lambda c: 1e-4)
    assert [row.passed for row in rows] == [False] * 5


def falling(config: RunConfig, end: float, over: float) -> RunResult:
    """Return a run whose test loss was `over` times as large a tenth of the time before."""
    times = np.linspace(0.0, 1.0, 41)
    losses = np.where(times > 0.9, end, over * end)
    series = [{"nonlinear.test_loss": loss} for loss in losses]
    snapshots = [Snapshot(time=t, series=s) for t, s in zip(times, series, strict=True)]
    return RunResult.collect(config, snapshots)


@pytest.mark.parametrize(("over", "holds"), [(1.3, True), (1.0, False)])
def test_figure_2b_wants_a_loss_that_still_falls_on_the_rise(over, holds):
    check = figure_2b.CHECKS[0]
    levels = dict(zip(figure_2b.TAUS, (1e-6, 5e-4, 1e-3, 1e-3), strict=True))
    results = {
        digest: falling(c, levels[c.init_scale], over if c.init_scale == population.TAUS[6] else 1)
        for digest, c in check.runs.items()
    }
    rows = {row.claim: row.passed for row in check.judge(results)}
    assert rows["Fig. 2(b), τ = 0.2: last 2,000 steps over the 2,000 before"] is holds
    assert sum(passed is True for passed in rows.values()) == len(rows) - (not holds)
    assert set(check.runs) == set(configs(figure_2b.JOBS))


def test_figure_4_is_fast_and_holds():
    assert all(row.passed for row in figure_4.CHECKS[0].judge({}))
