"""The figures of the Theorems page: traces, axes and numbers, not pixels."""

import json
from functools import cache

import numpy as np
import pytest

from lazycore import run
from lazycore.config.run import RunConfig
from lazycore.figures import animation, bound, export, kappa, outputs_plane, panels_of, style
from lazycore.papers.lazy_training.theorems.kappa_criterion import expected_kappa
from lazycore.papers.theorem import BELOW, BOUND, GUIDE, OUTSIDE, Line, theorems

TIME = np.concatenate([[0.0], np.geomspace(1e-2, 10.0, 40)])


def made(kind=BOUND, factor=2.0, **more):
    return Line("‖w − w₀‖", "weight units", TIME, TIME / 3, factor * TIME / 3, kind, **more)


@cache
def eight(alpha=10.0):
    return run(RunConfig(task="plane_target", time=12.0, alpha=alpha))


def named(figure):
    return {trace["name"]: trace for trace in figure["data"]}


def test_a_bound_is_dotted_and_violet_above_the_solid_measured_line(make_run):
    figure = bound.figure([made()], make_run())
    traces = named(figure)
    measured, above = traces["‖w − w₀‖"], traces["bound of the theorem"]
    assert measured["line"]["color"] == style.BLUE and measured["line"]["dash"] == "solid"
    assert above["line"]["color"] == style.PURPLE and above["line"]["dash"] == "dot"
    assert np.allclose(np.array(above["y"]) / np.array(measured["y"]), 2.0)
    assert "at most 0.5 of it" in figure["layout"]["title"]["subtitle"]["text"]
    assert figure["layout"]["yaxis"]["title"]["text"] == "‖w − w₀‖ (weight units)"
    alt = figure["layout"]["meta"]["alt"]
    assert "‖w − w₀‖ from " in alt and alt.endswith(
        "Measured stays below the bound: at most 0.5 of it."
    )


@pytest.mark.parametrize("kind", [BELOW, OUTSIDE])
def test_what_is_no_bound_is_grey_and_says_what_it_is(kind, make_run):
    figure = bound.figure([made(kind)], make_run())
    line = named(figure)[kind]["line"]
    assert line["color"] == style.GREY and line["dash"] == "longdashdot"
    assert "not a bound" in figure["layout"]["title"]["subtitle"]["text"]


def test_a_curve_above_its_bound_is_said_to_exceed_it():
    assert "EXCEEDS" in bound.sentence(made(factor=0.5))
    assert "no explicit constants" in bound.sentence(Line("x", "u", TIME, TIME))
    nowhere = Line("x", "u", TIME, TIME, np.full(len(TIME), np.nan))
    assert "no bound at any time" in bound.sentence(nowhere)


def test_log_axes_drop_what_has_no_logarithm_and_linear_ones_keep_it(make_run):
    assert len(bound.figure([made()], make_run(), log=True)["data"][0]["x"]) == 40
    figure = bound.figure([made()], make_run(), log=False)
    assert len(figure["data"][0]["x"]) == 41
    assert figure["layout"]["xaxis"]["type"] == figure["layout"]["yaxis"]["type"] == "linear"
    decay = bound.figure([made(exponential=True)], make_run(), log=True)
    assert decay["layout"]["xaxis"]["type"] == "linear"
    assert decay["layout"]["yaxis"]["type"] == "log"


def test_lines_of_one_group_share_axes_and_one_slope():
    result = eight()
    lines = theorems()["Theorem 2.5"].lines(result, {})
    traces = named(bound.figure(lines, result))
    assert set(traces) == {
        "network",
        "linearisation",
        GUIDE,
    }
    assert traces["linearisation"]["line"]["dash"] == style.MODELS["linearized"]["dash"]


def test_the_plane_shows_curve_target_and_both_paths_and_moves():
    result = eight()
    figure = outputs_plane.figure(result)
    begun = named(figure)["network at time t"]
    assert (begun["x"], begun["y"]) == ([0.0], [0.0]), "it opens at its start"
    traces = named(animation.at_frame(figure, -1))
    assert traces["target"]["x"] + traces["target"]["y"] == [-1.0, 1.5]
    end = np.array([traces["network at time t"][axis][0] for axis in "xy"])
    assert np.allclose(end, result.series["nonlinear.outputs"][-1, 0])
    # The linearisation ends at the foot of the perpendicular on the line through (1, 1).
    foot = [traces["linearisation at time t"][axis][0] for axis in "xy"]
    assert foot == pytest.approx([0.25, 0.25], abs=1e-6)
    near = [traces["nearest point of the curve"][axis][0] for axis in "xy"]
    assert near == pytest.approx([-1.25, 1.25], abs=0.02)
    curve = np.array([traces["all αh(w)"][axis] for axis in "xy"], dtype=float)
    w = np.arcsin(np.clip(curve[0] / 10.0, -1, 1))
    assert np.nanmax(np.abs(np.abs(curve[1]) - np.abs(5.0 * np.sin(2.0 * w)))) < 1e-9
    assert len(figure["frames"]) <= 60
    loss = result.series["nonlinear.train_loss"][-1]
    assert f"Loss at the end {loss:.4g}, of the linearisation" in figure["layout"]["meta"]["alt"]
    assert {len(frame["data"]) for frame in figure["frames"]} == {2}
    assert len(json.dumps(figure)) < 200_000 and "(output units)" in export.csv(figure)


def test_the_plane_is_a_panel_of_runs_with_two_outputs_only(make_run):
    assert "outputs_plane" in [panel.name for panel in panels_of(eight())]
    assert "outputs_plane" not in [panel.name for panel in panels_of(make_run())]
    four = run(RunConfig(task="vector", time=1.0))
    assert "outputs_plane" not in [panel.name for panel in panels_of(four)]


def test_another_model_with_two_outputs_has_no_curve():
    fields = {"task": "vector", "target_size": 2, "time": 2.0}
    traces = named(outputs_plane.figure(run(RunConfig.from_dict(fields))))
    assert "all αh(w)" not in traces and "target" in traces


def test_kappa_has_marks_means_and_a_dotted_shape_for_both_scalings():
    pandas = pytest.importorskip("pandas")
    rows = [
        {"scaling": s, "width": m, "kappa": float(3.0 * expected_kappa(m, s)) * (1 + 0.1 * sign)}
        for s in ("ntk", "mean_field")
        for m in (16, 64, 256)
        for sign in (-1, 1)
    ]
    figure = kappa.figure(pandas.DataFrame(rows))
    traces = named(figure)
    assert len(traces) == 6 and figure["layout"]["xaxis"]["type"] == "log"
    shape = traces["shape for α(m) = 1/√m"]
    assert shape["line"]["dash"] == "dot"
    assert np.allclose(shape["y"], 6.0 * np.array([16, 64, 256]) ** -0.5)
    # 3 · 2 · 16^(−1/2) = 1.5 and a quarter of it at 256; for 1/m it tends to 3.
    alt = figure["layout"]["meta"]["alt"]
    assert "For α(m) = 1/√m from 1.5 to 0.375 over m = 16 to 256." in alt
    assert "For α(m) = 1/m from 3.75 to 3.19 over m = 16 to 256." in alt
    empty = pandas.DataFrame({"scaling": [], "width": [], "kappa": []})
    assert kappa.figure(empty)["data"] == []
