"""The Refresh page without a browser: its links, what ships, and its figures."""

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from test_pages import charts, opened, queue, root, words

from lazycore import run
from lazycore.config.run import RunConfig
from lazycore.engine.problem.problem import build_problem, default_step_size
from lazycore.engine.refreshed.epochs import refreshed_path
from lazycore.figures import finding, losses, panels_of, stage_filters, stages, style, updates
from lazycore.papers import shelf
from lazycore.papers.iterative_linearization import problems

__all__ = ["queue", "root"]
PAGE = "refresh"
PROBLEMS = problems.problems()


def shipped(problem, variant=None, every=None):
    """Return the runs of this problem that ship."""
    variant = variant or next(iter(problem.variants))
    return [shelf.find(config.digest) for config in problem.configs(variant, every)]


@pytest.mark.parametrize("name", list(PROBLEMS))
def test_every_problem_is_finished_before_any_click(root, queue, name):
    for variant in PROBLEMS[name].variants:
        more = {"r_stages": variant} if len(PROBLEMS[name].variants) > 1 else {}
        app = opened(PAGE, r_problem=name, **more)
        assert not app.exception and not app.error and not app.info
        assert charts(app) >= 3 and queue.list() == []
        assert PROBLEMS[name].said in words(app)


def test_the_slider_goes_through_finished_runs(root, queue):
    app = opened(PAGE, r_every="500")
    assert "K = 500: 20 feature updates" in words(app)
    app.select_slider(key="r_every").set_value("10000").run()
    assert "K = 10,000: 1 feature update" in words(app)
    assert not app.exception and queue.list() == []


def test_what_another_problem_had_is_not_asked_of_the_next(root):
    app = opened(PAGE, r_problem="3-sparse parity", r_stages="front-loaded", r_every="500")
    app.selectbox(key="r_problem").set_value("figure eight").run()
    assert not app.exception and not app.error
    assert "K = 50: 8 feature updates" in words(app)


def test_a_stage_that_diverges_is_said_and_counted(root):
    app = opened(PAGE, r_problem="a stage that diverges")
    assert "This path diverged" in words(app)
    assert any(metric.value == "diverged" for metric in app.metric)
    app = opened(PAGE, r_problem="a stage that diverges", r_stages="cap on η")
    assert "This path diverged" not in words(app)


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({"r_problem": "weather"}, "r_problem=weather is not allowed"),
        ({"r_stages": "none"}, "r_stages=none is not allowed"),
        ({"r_every": "7"}, "r_every=7 is not allowed: give 10000, 5000"),
    ],
)
def test_a_wrong_link_is_answered_in_a_sentence(root, link, said):
    app = opened(PAGE, **link)
    assert not app.exception and said in app.error[0].value


def test_what_ships_is_whole_and_small():
    files = {path.stem: path for path in (shelf.DIRECTORY / "refresh").glob("*.npz")}
    assert files.keys() == {config.digest for config in problems.configs()}
    assert sum(path.stat().st_size for path in files.values()) < 1_500_000


@pytest.mark.parametrize("name", ["two circles", "figure eight"])
def test_shipped_runs_are_what_the_engine_computes(name):
    problem = PROBLEMS[name]
    (found,) = shipped(problem, every=problem.chosen)
    fresh = run(problem.config("K steps", problem.chosen))
    assert found.digest == fresh.digest and found.status == fresh.status
    for model in ("nonlinear", "refreshed"):
        values = fresh.series[f"{model}.train_loss"]
        assert found.series[f"{model}.train_loss"] == pytest.approx(values, rel=2e-3, abs=1e-6)
    stability = fresh.latest["refreshed.stability"]
    assert found.latest["refreshed.stability"] == pytest.approx(stability, rel=1e-5)


def test_the_diverging_stage_converges_under_the_cap():
    problem = PROBLEMS["a stage that diverges"]
    ends = []
    for variant in problem.variants:
        config = problem.config(variant, problem.chosen)
        alone = build_problem(config.resolve().to_dict(), torch.device("cpu"))
        values = config.resolve().to_dict() | {"step_size": default_step_size(alone)}
        (state,) = refreshed_path(alone, values, np.array([config.steps]))
        ends.append(None if state is None else alone.loss_at(alone.train.start + state.train))
    assert ends[0] is None and ends[1] < 1e-3


def test_a_few_updates_come_near_gradient_descent_and_one_does_not():
    problem = PROBLEMS["3-sparse parity"]
    eight = [r.series["refreshed.test_error"][-1] for r in shipped(problem, every=1250)]
    lazy = [r.series["refreshed.test_error"][-1] for r in shipped(problem, every=10_000)]
    assert np.mean(eight) < 0.02 and np.mean(lazy) > 0.05


def named(figure, part):
    return [trace for trace in figure["data"] if part in trace.get("name", "")]


def test_the_figure_over_updates_has_every_run_and_both_levels():
    results = shipped(PROBLEMS["3-sparse parity"])
    figure = updates.figure(results)
    go.Figure(figure)
    (runs,) = named(figure, "single runs")
    assert len(runs["x"]) == len(results)
    (median,) = named(figure, "median")
    assert median["x"][0] == 1.0 and median["y"][0] > median["y"][-1]
    (lazy,) = named(figure, "lazy")
    expected = np.median([r.series["linearized.test_error"][-1] for r in results])
    assert lazy["y"] == pytest.approx([expected] * 2)
    assert lazy["line"]["dash"] == style.MODELS["linearized"]["dash"]
    assert "N = 3" in figure["layout"]["title"]["subtitle"]["text"]
    went = finding.course(median["y"], "")
    said = figure["layout"]["meta"]["alt"]
    assert f"go {went} over 1 to 400 feature updates, medians" in said
    assert f"lazy, never again {finding.said(expected)}." in said


def test_diverged_runs_are_counted_and_marked():
    results = shipped(PROBLEMS["a stage that diverges"])
    figure = updates.figure(results)
    gone = [r for r in results if r.latest["refreshed.status"] == "diverged"]
    (marks,) = named(figure, "diverged")
    assert len(marks["x"]) == len(gone) > 0
    assert marks["x"] == [10_000 / r.config["refresh_every"] for r in gone]
    assert f"{len(gone)} of {len(results)} runs diverged" in figure["layout"]["meta"]["alt"]


def test_the_stages_are_drawn_with_the_limit_of_stability():
    problem = PROBLEMS["a stage that diverges"]
    (result,) = shipped(problem, every=problem.chosen)
    figure = stages.figure(result)
    go.Figure(figure)
    (line,) = named(figure, "ηλ_max")
    assert line["y"] == pytest.approx(result.latest["refreshed.stability"])
    assert figure["layout"]["shapes"][0]["y0"] == 2.0
    assert "above the limit 2" in figure["layout"]["title"]["subtitle"]["text"]
    (capped,) = shipped(problem, "cap on η", problem.chosen)
    (used,) = named(stages.figure(capped), "capped")
    assert max(used["y"]) <= 1.0 + 1e-6


def test_the_filters_are_those_of_the_formulas():
    result = run(
        RunConfig(task="sine", n_train=8, n_test=0, dynamics="gd", steps=40, refresh_every=10)
    )
    figure = stage_filters.figure(result)
    go.Figure(figure)
    (steps,), (damped,) = named(figure, "K steps"), named(figure, "Levenberg")
    x = np.array(steps["x"])
    assert steps["y"] == pytest.approx(1.0 - (1.0 - x / 10.0) ** 10)
    assert damped["y"] == pytest.approx(x / (1.0 + x))
    assert damped["line"]["dash"] != steps["line"]["dash"] == "solid"


def test_figures_of_a_run_have_its_third_path_in_its_own_look():
    result = run(
        RunConfig(task="circles", n_train=8, width=6, dynamics="gd", steps=20, refresh_every=5)
    )
    names = [panel.name for panel in panels_of(result)]
    assert {"stages", "stage_filters"} <= set(names)
    (line,) = named(losses.figure(result), "iterative linearisation, train")
    assert line["line"]["dash"] == style.REFRESHED["dash"]
    for panel in panels_of(result):
        go.Figure(panel.draw(result, True))
