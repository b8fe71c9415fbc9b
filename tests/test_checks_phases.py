"""The checks of fluctuations: made-up networks that obey the claims pass, others do not."""

import numpy as np
import pytest

from lazycore.papers.feature_lazy.claims import fluctuations as checked
from lazycore.papers.feature_lazy.phases import cube_of
from lazycore.results.run import RunResult, Snapshot
from lazycore.results.sweep import SweepResult


@pytest.fixture(scope="module")
def labels():
    return cube_of(SweepResult(checked.SWEEP)).labels


def made_up(sweep, labels, power=-0.5, feature=2.0, lazy=5.0, status="done"):
    """Return results whose outputs are the labels and noise of size (feature | lazy) h^power."""
    found = {}
    for cell in sweep.cells:
        scale, width, seed = (cell.values[n] for n in ("alpha_sqrt_width", "width", "init_seed"))
        size = (feature if scale <= checked.BORDER else lazy) * width**power
        rng = np.random.default_rng([seed, width])
        outputs = labels + size * rng.standard_normal(len(labels))
        latest = {"nonlinear.test_outputs": outputs.astype(np.float32)[:, None]}
        snapshot = Snapshot(time=0.0, progress=1.0, latest=latest)
        found[cell.digest] = RunResult.collect(cell.config, [snapshot], status=status)
    return found


def test_networks_as_the_paper_has_them_pass(labels):
    results = made_up(checked.SWEEP, labels)
    rows = [*checked._judge_variance(results), *checked._judge_ensemble(results)]
    assert all(row.passed is not False for row in rows) and len(rows) == 11
    quick = checked._judge_quick(over(checked.QUICK, labels, [-0.5] * 4))
    assert [row.passed for row in quick] == [True] * 10
    steep = checked._judge_quick(over(checked.QUICK, labels, [-0.6] * 4))
    assert [row.passed for row in steep[:2]] == [False] * 2


@pytest.mark.parametrize(
    ("broken", "claim"),
    [
        ({"power": -0.4}, "√hα = 1: Var against h"),
        ({"power": -0.6}, "√hα = 10000: Var against h"),
        ({"feature": 4.0}, "h·Var at √hα = 0.01"),
        ({"status": "budget"}, "runs that met all margins"),
    ],
)
def test_networks_that_are_otherwise_do_not(labels, broken, claim):
    results = made_up(checked.SWEEP, labels, **broken)
    if broken.get("status"):
        assert checked._ended(results).passed is False
        return
    rows = checked._judge_variance(results)
    assert [row.passed for row in rows if row.claim.startswith(claim)] == [False]


def over(sweeps, labels, powers):
    parts = zip(sweeps, powers, strict=True)
    return {d: run for sweep, p in parts for d, run in made_up(sweep, labels, power=p).items()}


def test_the_slope_of_the_feature_side_is_the_mean_over_sets_of_data(labels):
    rows = checked._judge_over_data(over(checked.OVER_DATA, labels, (-0.4, -0.5, -0.5, -0.5)))
    assert [row.passed for row in rows] == [None, None, None, None, True]
    assert rows[0].measured.startswith("−0.8") and rows[-1].measured.startswith("−0.9")
    assert checked._judge_over_data(over(checked.OVER_DATA, labels, [-0.4] * 4))[-1].passed is False


@pytest.mark.parametrize(("times", "loss", "held"), [(100.0, 0.5, [1, 1]), (5.0, 0.6, [0, 0])])
def test_an_output_that_is_left_in_fluctuates_more_and_only_where_alpha_is_large(
    labels, times, loss, held
):
    results = made_up(checked.CENTERED, labels)
    results |= made_up(checked.AS_IT_IS, labels, lazy=5.0 * times)
    for run in results.values():
        left_in = run.config["zero_output"] == "none"
        run.series["nonlinear.test_loss"] = np.array([loss if left_in else 0.5])
    rows = checked._judge_uncentered(results)
    assert [row.passed for row in rows][-2:] == [bool(value) for value in held]


def test_an_ensemble_that_errs_as_its_members_do_fails(labels):
    results = made_up(checked.SWEEP, labels)
    shared = np.random.default_rng(0).standard_normal(len(labels))
    for cell in checked.SWEEP.cells:  # one and the same error in all networks: nothing averages
        width = cell.values["width"]
        outputs = labels + 5.0 * shared * (1.0 if width < checked.WIDE else 0.1)
        results[cell.digest].latest["nonlinear.test_outputs"] = outputs[:, None]
    assert checked._judge_ensemble(results)[0].passed is False
