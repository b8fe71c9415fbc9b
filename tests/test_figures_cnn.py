"""The figures of activations and spectra: traces, titles and numbers."""

import numpy as np
import plotly.graph_objects as go
import pytest

from lazycore.figures import panels_of, spectrum, stability


def with_layers(run, layers=3):
    kept = run.series["activation_stability"]
    shares = np.stack([kept - 0.01 * i for i in range(layers)], axis=1)
    run.series["activation_stability_by_layer"] = shares
    run.series["test_activation_stability"] = kept - 0.05
    return run


def with_spectrum(run):
    values = np.concatenate([np.linspace(10.0, 8.0, 10), 1.0 / np.arange(1.0, 91.0)])
    run.latest.update({"spectrum": values, "class_gap_after": 10, "class_gap": 8.0})
    return run


@pytest.mark.parametrize("log", [True, False])
def test_stability_shows_the_mean_each_layer_and_the_test_points(make_run, log):
    run = with_layers(make_run())
    figure = stability.figure(run, log)
    go.Figure(figure)
    names = [trace["name"] for trace in figure["data"]]
    assert names == ["network", "layer 1", "layer 2", "layer 3", "on test points"]
    assert figure["data"][0]["line"]["dash"] == "solid"
    second = figure["data"][2]
    assert second["y"][-1] == pytest.approx(run.series["activation_stability"][-1] - 0.01)
    assert all(len(t["x"]) == len(t["y"]) for t in figure["data"])
    assert (0.0 in figure["data"][0]["x"]) is not log
    axis = figure["layout"]["yaxis"]
    lowest = min(min(trace["y"]) for trace in figure["data"])
    assert axis["type"] == "linear" and axis["range"][0] < lowest < 1.0 < axis["range"][1] < 1.1


def test_the_error_with_frozen_gates_is_said_where_it_is_known(make_run):
    run = make_run()
    assert not stability.figure(run)["layout"]["annotations"]
    run.latest.update({"frozen_gates.train_error": 0.0964, "frozen_gates.test_error": 0.109})
    (note,) = stability.figure(run)["layout"]["annotations"]
    assert note["text"] == "error with the gates of the start: 9.64 % train, 10.9 % test"


def test_stability_without_layers_is_one_line(make_run):
    assert len(stability.figure(make_run())["data"]) == 1


@pytest.mark.parametrize("log", [True, False])
def test_the_spectrum_is_over_its_largest_and_says_where_the_gap_is(make_run, log):
    figure = spectrum.figure(with_spectrum(make_run()), log)
    go.Figure(figure)
    (line,) = figure["data"]
    assert line["x"][:3] == [1.0, 2.0, 3.0] and line["y"][0] == 1.0
    assert line["y"][10] == pytest.approx(0.1) and "100 outputs" in line["name"]
    layout = figure["layout"]
    assert layout["shapes"][0]["x0"] == 10.5
    (note,) = layout["annotations"]
    assert "after 10, λ falls 8 times" in note["text"]
    assert note["x"] == pytest.approx(np.log10(10.5) if log else 10.5)
    assert layout["xaxis"]["type"] == ("log" if log else "linear")
    assert "after number 10" in layout["meta"]["alt"]


def test_a_kernel_of_zeros_is_drawn_as_such(make_run):
    run = make_run()
    run.latest.update({"spectrum": np.zeros(4), "class_gap_after": 0, "class_gap": float("nan")})
    figure = spectrum.figure(run, log=False)
    assert figure["data"][0]["y"] == [0.0] * 4 and not figure["layout"]["shapes"]


def test_the_spectrum_is_shown_where_there_is_one(make_run):
    assert "spectrum" not in [panel.name for panel in panels_of(make_run())]
    assert "spectrum" in [panel.name for panel in panels_of(with_spectrum(make_run()))]
