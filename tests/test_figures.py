"""Figures are pure functions: their traces, their titles and their numbers."""

import math
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.figures import (
    distance,
    kernel,
    learned,
    losses,
    neurons,
    panels,
    panels_of,
    regimes,
    style,
)
from lazycore.tasks import Streams, teacher

EVERY_PANEL = [
    "losses",
    "distance",
    "displacement",
    "kernel",
    "gram",
    "stages",
    "eigenvalues",
    "spectrum",
    "projections",
    "stage_filters",
    "frozen",
    "errors",
    "margins",
    "learned",
    "outputs_plane",
    "compression",
    "neurons",
    "stability",
]
OF_SOME = ("spectrum", "errors", "outputs_plane", "margins", "compression")
OF_SOME += ("stages", "stage_filters")
OF_KEPT_KERNELS = ("gram", "eigenvalues", "projections", "frozen")


def named(figure, part):
    """Return the traces whose name holds `part`."""
    return [trace for trace in figure["data"] if part in trace.get("name", "")]


def test_panels_are_found_by_their_files_and_come_in_order():
    assert [panel.name for panel in panels()] == EVERY_PANEL


def test_a_run_shows_the_panels_that_it_has_the_quantities_for(make_run):
    assert [panel.name for panel in panels_of(make_run(dim=2))] == [
        name for name in EVERY_PANEL if name not in (*OF_SOME, *OF_KEPT_KERNELS)
    ]
    in_five_dimensions = make_run(dim=5)
    in_five_dimensions.latest.clear()
    assert "learned" not in [panel.name for panel in panels_of(in_five_dimensions)]


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("dim", [1, 2])
def test_every_figure_is_valid_plotly_with_units_and_words(make_run, dim, log):
    run = make_run(dim=dim)
    for panel in panels_of(run):
        figure = panel.draw(run, log)
        go.Figure(figure)  # raises for anything that plotly does not know
        layout = figure["layout"]
        assert layout["meta"]["alt"] and layout["title"]["text"]
        axes = [v["title"]["text"] for k, v in layout.items() if k.startswith(("xaxis", "yaxis"))]
        assert any("(" in title or "input" in title for title in axes), panel.name


def test_no_trace_has_more_than_300_points_and_no_animation_more_than_60_frames(make_run):
    run = make_run(dim=2)
    for panel in panels_of(run):
        figure = panel.draw(run, True)
        lengths = [len(t["x"]) for t in figure["data"] if t["type"] == "scatter"]
        assert max(lengths, default=0) <= style.MOST_POINTS, panel.name
        assert len(figure.get("frames", [])) <= neurons.MOST_FRAMES


def test_thinning_keeps_both_ends():
    index = style.thinned(100_000)
    assert len(index) == style.MOST_POINTS
    assert (index[0], index[-1]) == (0, 99_999)


def test_the_network_is_solid_and_its_linearisation_dashed_in_every_figure(make_run):
    run = make_run(dim=1)
    for panel in panels_of(run):
        for trace in panel.draw(run, True)["data"]:
            dash = trace.get("line", {}).get("dash")
            if trace["name"].startswith("network"):
                assert dash == "solid", panel.name
            if trace["name"].startswith("linearisation"):
                assert dash == style.MODELS["linearized"]["dash"], panel.name


def test_losses_show_the_recorded_numbers(make_run):
    run = make_run(2.0)
    (trace,) = named(losses.figure(run, log=False), "network, train")
    np.testing.assert_allclose(trace["y"], run.series["nonlinear.train_loss"])
    np.testing.assert_allclose(trace["x"], run.time)


def test_log_axes_leave_out_what_has_no_logarithm(make_run):
    figure = losses.figure(make_run(), log=True)
    assert figure["layout"]["xaxis"]["type"] == "log"
    assert all(x > 0 for trace in figure["data"] for x in trace["x"])


def test_a_value_that_is_not_finite_is_null():
    assert style.numbers([1.0, math.nan, math.inf]) == [1.0, None, None]


def test_the_floor_is_the_numerical_error(make_run):
    (floor,) = named(distance.figure(make_run(numerical_error=1e-3), log=True), "floor")
    assert max(floor["y"]) == 1e-3


def test_a_floor_far_below_the_gap_is_named_but_does_not_stretch_the_axis(make_run):
    (floor,) = named(distance.figure(make_run(numerical_error=1e-15), log=True), "floor")
    assert floor["y"] == [None] and "far below" in floor["name"]


def test_theorem_2_3_is_drawn_where_it_holds_and_its_reason_said_where_not(make_run):
    run = make_run()
    assert named(distance.figure(run), "Theorem 2.3")
    del run.series["theory.theorem_2_3"]
    run.latest["theory.reason"] = "Theorem 2.3 is about the square loss."
    figure = distance.figure(run)
    assert not named(figure, "Theorem 2.3")
    assert "square loss" in figure["layout"]["title"]["subtitle"]["text"]


@pytest.mark.parametrize("status", ["diverged", "cancelled", "budget"])
def test_a_run_that_ended_early_is_marked_on_each_of_its_figures(make_run, status):
    run = make_run(status=status)
    for panel in panels_of(run):
        notes = panel.draw(run, True)["layout"]["annotations"]
        assert any(style.ENDINGS[status] in note["text"] for note in notes), panel.name


def test_a_model_that_diverged_is_named(make_run):
    run = make_run(**{"linearized.status": "diverged"})
    notes = losses.figure(run)["layout"]["annotations"]
    assert "the linearisation diverged" in notes[0]["text"]


def test_kernel_change_is_drawn_with_the_thresholds_of_the_verdict(make_run):
    figure = kernel.figure(make_run(), log=False)
    assert [shape["y0"] for shape in figure["layout"]["shapes"]] == [0.1, 1.0]
    assert any(trace.get("yaxis") == "y2" for trace in figure["data"])


def test_neurons_play_from_the_first_to_the_last_recorded_time(make_run):
    run = make_run(dim=2)
    figure = neurons.figure(run)
    first, last = figure["frames"][0]["data"][0], figure["frames"][-1]["data"][0]
    positive = run.latest["neurons.sign"] > 0
    for frame, when in ((first, 0), (last, -1)):
        path = run.sparse["neurons.nonlinear"][when][positive]
        np.testing.assert_allclose(np.stack([frame["x"], frame["y"]], axis=1), path)
    symbols = {trace["marker"]["symbol"] for trace in figure["frames"][0]["data"]}
    assert symbols == {"circle", "triangle-up"}
    circles = [shape for shape in figure["layout"]["shapes"] if shape["type"] == "circle"]
    assert len(circles) == 2 and circles[0]["x1"] == 1


def test_neurons_open_at_their_start_and_while_the_run_goes_on_where_it_is(make_run):
    run = make_run(dim=2)
    for status, number in (("done", 0), ("running", -1)):
        figure = neurons.figure(replace(run, status=status))
        frame = figure["frames"][number]
        assert [figure["data"][k] for k in frame["traces"]] == frame["data"]
        assert figure["layout"]["sliders"][0]["active"] == number % len(figure["frames"])


def test_both_models_of_the_neurons_are_on_one_scale_that_the_network_fills(make_run):
    run = make_run(dim=2)
    far = {"neurons.linearized": 50.0 * run.sparse["neurons.linearized"]}
    for sparse, said in ((run.sparse, False), (run.sparse | far, True)):
        figure = neurons.figure(replace(run, sparse=sparse))
        go.Figure(figure)
        layout = figure["layout"]
        assert layout["xaxis2"]["matches"] == "x" and layout["yaxis2"]["matches"] == "y"
        assert layout["xaxis"]["range"] == layout["xaxis2"]["range"] == layout["yaxis"]["range"]
        largest = float(np.abs(run.sparse["neurons.nonlinear"]).max())
        assert layout["xaxis"]["range"][1] < 2.5 * largest
        assert ("leave the picture" in str(layout["annotations"])) == said


def test_the_rays_of_the_neurons_are_the_directions_that_the_targets_are_of(make_run):
    config = RunConfig(task="teacher", dim=2, data_seed=7)
    values = config.resolve().to_dict()
    directions, signs = spec.find("task", "teacher").SPEC.facts["rays"](values)
    drawn = teacher.sample(values, Streams.from_seed(7))
    targets = np.maximum(drawn.x_train @ directions.T, 0.0) @ signs
    np.testing.assert_allclose(drawn.y_train, targets)
    figure = neurons.figure(make_run(dim=2, config=config))
    rays = [t for t in figure["data"] if t["name"].startswith("teacher")]
    assert sum(t["x"].count(0.0) for t in rays) == 2 * len(directions), "on both sides"
    for ray in rays:
        x, y = ray["x"][1], ray["y"][1]
        along = directions @ np.array([x, y]) / np.hypot(x, y)
        assert along.max() == pytest.approx(1.0)
    sine = make_run(dim=2, config=RunConfig(task="circles"))
    assert not [t for t in neurons.figure(sine)["data"] if t["name"].startswith("teacher")]


def test_learned_map_puts_each_value_at_its_place_whatever_the_order_of_the_grid(make_run):
    run = make_run(dim=2)
    order = np.random.default_rng(0).permutation(len(run.latest["function.x"]))
    for name in ("function.x", "function.nonlinear", "function.linearized"):
        run.latest[name] = run.latest[name][order]
    heat = next(t for t in learned.figure(run)["data"] if t["type"] == "heatmap")
    x, y = np.meshgrid(heat["x"], heat["y"])
    np.testing.assert_allclose(heat["z"], np.sin(2.0 * (x + y)))


def test_two_outputs_are_drawn_as_their_difference():
    np.testing.assert_array_equal(learned.margin(np.array([[1.0, 3.0]])), [2.0])


def test_regimes_stand_side_by_side_on_one_scale(make_run):
    figure = regimes.figure([make_run(a) for a in (0.1, 1.0, 100.0)])
    go.Figure(figure)
    assert figure["layout"]["yaxis2"]["matches"] == figure["layout"]["yaxis3"]["matches"] == "y"
    assert "α = 100" in figure["layout"]["annotations"][-1]["text"]
