"""Figures of kept kernels, margins and compression: their traces, titles and numbers."""

import numpy as np
import plotly.graph_objects as go
import pytest

from lazycore.config.run import RunConfig
from lazycore.figures import compression, eigenvalues, frozen, gram, margins, panels_of, projections
from lazycore.results.run import RunResult, Snapshot

TIMES = (0.0, 0.1, 1.0, 10.0)
LABELS = np.array([-1.0] * 4 + [1.0] * 2)
NAN = float("nan")


def kernel(t):
    """A kernel that grows blocks: between points of one class 1 + t, else 1."""
    return (1.0 + t * (LABELS[:, None] == LABELS)).astype(np.float32)


@pytest.fixture
def made():
    config = RunConfig.from_dict({"task": "stripe", "loss": "logistic", "keep": "kernels"})
    snapshots = []
    for number, t in enumerate(TIMES):
        series = {
            f"{m}.margin": s * (t - 1.0) for m, s in (("nonlinear", 1.0), ("linearized", 0.5))
        }
        series |= {"nonlinear.test_error": 0.5 / (1 + t), "linearized.test_error": 0.5}
        shares = np.array([0.1, 0.2, 0.7]) if number == 0 else np.array([0.6, 0.3, 0.1])
        sparse = {"kernel.gram": kernel(t), "kernel.projections": shares}
        sparse |= {"kernel.eigenvalues": np.array([3.0, 2.0, 1.0]) * (1.0 + t)}
        trained = number in (0, 3)
        sparse |= {f"{n}.test_error": 0.4 / (1 + t) if trained else NAN for n in frozen.KERNELS}
        snapshots.append(Snapshot(time=t, series=series | {"compression": 1.0 + t}, sparse=sparse))
    snapshots[-1].latest.update(
        {"kernel.labels": LABELS, "frozen.correlation": np.array([0.5, NAN, NAN, 0.987])}
    )  # type: ignore[attr-defined]
    return RunResult.collect(config, snapshots)


@pytest.mark.parametrize("log", [True, False])
def test_every_one_is_valid_plotly_and_shown_for_the_run(made, log):
    shown = {panel.name for panel in panels_of(made)}
    assert {"gram", "eigenvalues", "projections", "frozen", "margins", "compression"} <= shown
    for file in (gram, eigenvalues, projections, frozen, margins, compression):
        drawn = file.figure(made, log)
        go.Figure(drawn)
        assert drawn["layout"]["meta"]["alt"] and "(" in drawn["layout"]["yaxis"]["title"]["text"]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        # 20 of 36 entries are 11 at last and the others 1: their rms is 8.23.
        (gram, "within a class it is 1 on average at first and 1.34 at last, between"),
        (gram, "between classes 1 and 0.122."),
        (eigenvalues, "Number 1 from 3 to 33. Number 2 from 2 to 22. Number 3 from 1 to 11."),
        (projections, "in the first 3 eigenvectors of the initial tangent kernel, and in the "),
        (projections, "first 1 of that at flow time 10. In the very first 0.1 and 0.6."),
        (frozen, "kernel of all layers from 40.0% to 3.6%, kernel of the last layer from 40.0%"),
        (frozen, "At their own ends: network 4.5%, linearisation 50.0%."),
        (margins, "Network from −1 to 9, every point on its side from flow time 10 on."),
        (compression, "Λ from 1 to 11, to flow time 10"),
    ],
)
def test_each_says_in_words_what_is_seen_in_it(made, file, said):
    assert said.lower() in file.figure(made)["layout"]["meta"]["alt"].lower()


def test_a_margin_that_is_never_reached_is_said_to_be(made):
    made.series["nonlinear.margin"][-1] = -0.1
    assert "a point is on the wrong side to the end" in alt_of(margins.figure(made))


def test_a_kernel_without_classes_says_between_what_its_entries_lie(made):
    made.latest["kernel.labels"] = np.arange(12.0)[::2] / 7.0
    many = {"kernel.gram": np.stack([np.diag(np.arange(1.0, 13.0)) * t for t in (1.0, 2.0)])}
    made.sparse.update(many)
    made.latest["kernel.labels"] = np.arange(12.0)
    assert "Its entries go from 0 to" in alt_of(gram.figure(made))


def alt_of(figure):
    return figure["layout"]["meta"]["alt"]


def test_the_gram_matrix_is_over_its_rms_and_names_the_classes(made):
    drawn = gram.figure(made)
    assert len(drawn["frames"]) == len(TIMES)
    for frame, t in zip(drawn["frames"], TIMES, strict=True):
        wanted = kernel(t).astype(float)
        wanted /= np.sqrt((wanted**2).mean())
        assert np.allclose(frame["data"][0]["z"], wanted, atol=0.006)
    axis = drawn["layout"]["xaxis"]
    assert axis["ticktext"] == ["-1", "+1"] and axis["tickvals"] == [1.5, 4.5]
    assert {shape["x0"] for shape in drawn["layout"]["shapes"] if shape["x0"] == shape["x1"]} == {
        3.5
    }
    (slider,) = drawn["layout"]["sliders"]
    assert slider["steps"][0]["args"][1]["frame"]["redraw"], "a map moves only if it is redrawn"


def test_real_targets_have_no_class_borders(made):
    made.latest["kernel.labels"] = np.linspace(0.0, 1.0, 6)
    many = RunResult(
        **{**vars(made), "sparse": made.sparse | {"kernel.gram": np.ones((4, 30, 30))}}
    )
    many.latest["kernel.labels"] = np.linspace(0.0, 1.0, 30)
    drawn = gram.figure(many)
    assert not drawn["layout"]["shapes"] and "target" in drawn["layout"]["xaxis"]["title"]["text"]


@pytest.mark.parametrize(("times", "points"), [(13, 60), (41, 46), (200, 42)])
def test_every_recorded_time_has_a_frame_of_fewer_points_where_there_are_many(made, times, points):
    many = RunResult(
        **{**vars(made), "sparse": made.sparse | {"kernel.gram": np.ones((times, 100, 100))}}
        | {"kernel_time": np.arange(float(times))}
    )
    many.latest["kernel.labels"] = np.repeat([-1.0, 1.0], 50)
    drawn = gram.figure(many)
    assert len(drawn["frames"]) == min(times, gram.MOST_FRAMES)
    assert {np.shape(frame["data"][0]["z"]) for frame in drawn["frames"]} == {(points, points)}


def test_projections_add_up_and_say_how_many_make_half(made):
    start, end = projections.figure(made)["data"]
    assert np.allclose(start["y"], [0.1, 0.3, 1.0]) and np.allclose(end["y"], [0.6, 0.9, 1.0])
    subtitle = projections.figure(made)["layout"]["title"]["subtitle"]["text"]
    assert "3 at first, 1 at last" in subtitle


def test_frozen_kernels_stand_between_the_network_and_its_linearisation(made):
    drawn = frozen.figure(made, log=True)
    by_name = {trace["name"]: trace for trace in drawn["data"]}
    assert np.allclose(by_name["network, at its end"]["y"], 0.5 / 11)
    assert np.allclose(by_name["linearisation, at its end"]["y"], 0.5)
    whole = by_name["kernel of all layers"]
    assert np.allclose(whole["x"], [0.01, 10.0]), "the initial kernel a decade before the next"
    assert np.allclose(whole["y"], [0.4, 0.4 / 11])
    assert "0.987" in drawn["layout"]["title"]["subtitle"]["text"]


def test_margins_cross_zero_and_compression_begins_at_its_level(made):
    first, second = margins.figure(made, log=False)["data"]
    assert np.allclose(first["y"], [-1.0, -0.9, 0.0, 9.0]) and np.allclose(second["y"][-1], 4.5)
    drawn = compression.figure(made, log=False)
    assert drawn["layout"]["shapes"][0]["y0"] == 1.0 and drawn["data"][0]["y"][-1] == 11.0


def test_eigenvalues_over_time_are_the_recorded_ones(made):
    traces = eigenvalues.figure(made, log=False)["data"]
    assert [trace["name"] for trace in traces] == [
        "λ<sub>1</sub>",
        "λ<sub>2</sub>",
        "λ<sub>3</sub>",
    ]
    assert np.allclose(traces[0]["y"], 3.0 * (1.0 + np.array(TIMES)))
