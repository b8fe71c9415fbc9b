"""The exponent over runs: fitted where the theorem speaks, next to what it says."""

import plotly.graph_objects as go
import pytest

from lazycore.config.run import RunConfig
from lazycore.figures import exponent

OUTPUT_GAP, DISPLACEMENT, PARAMETER_GAP = exponent.QUANTITIES


@pytest.fixture
def lazy_runs(make_run):
    return [make_run(alpha) for alpha in (10.0, 30.0, 100.0, 1000.0)]


def test_exponents_of_the_made_up_law_are_found(lazy_runs):
    for quantity, wanted in ((OUTPUT_GAP, -1.0), (DISPLACEMENT, -1.0), (PARAMETER_GAP, -2.0)):
        fit = exponent.fit(lazy_runs, quantity)
        assert fit.exponent == pytest.approx(wanted, abs=0.02)
        assert fit.low <= fit.exponent <= fit.high
        assert fit.predicted == wanted


def test_two_runs_are_too_few(lazy_runs):
    assert exponent.fit(lazy_runs[:2], OUTPUT_GAP) is None


def test_the_line_is_fitted_over_lazy_runs_where_three_are(make_run, lazy_runs):
    fit = exponent.fit([make_run(0.1), make_run(0.3), *lazy_runs], OUTPUT_GAP)
    assert fit.alphas == (10.0, 30.0, 100.0, 1000.0)


def test_a_gap_below_the_floor_is_hollow_and_does_not_count(make_run, lazy_runs):
    drowned = make_run(1e6, numerical_error=1e-3)
    assert 1e6 not in exponent.fit([*lazy_runs, drowned], OUTPUT_GAP).alphas
    marks = exponent.figure([*lazy_runs, drowned])["data"][0]
    assert marks["marker"]["symbol"][-1] == "circle-open"


def test_a_run_that_ended_early_does_not_count(make_run, lazy_runs):
    cut = make_run(3000.0, status="budget")
    assert 3000.0 not in exponent.fit([*lazy_runs, cut], DISPLACEMENT).alphas


@pytest.mark.parametrize(("zero_output", "wanted"), [("symmetrized", -2.0), ("none", 1.0)])
def test_the_theorem_depends_on_how_the_output_is_made_zero(make_run, zero_output, wanted):
    def config(alpha):
        return RunConfig(dim=2, width=8, alpha=alpha, zero_output=zero_output)

    runs = [make_run(alpha, config=config(alpha)) for alpha in (10.0, 100.0, 1000.0)]
    assert exponent.fit(runs, OUTPUT_GAP).predicted == wanted
    assert exponent.fit(runs, DISPLACEMENT).predicted == (None if wanted > 0 else -1.0)


def test_figure_names_measured_and_theorem(lazy_runs):
    figure = exponent.figure(lazy_runs)
    go.Figure(figure)
    names = [trace["name"] for trace in figure["data"]]
    assert "fit: α<sup>−1.00</sup>" in names and "theorem: α<sup>−2</sup>" in names
    assert exponent.fit(lazy_runs, OUTPUT_GAP).measured.startswith("−1.0")
