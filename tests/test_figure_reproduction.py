"""A figure of the paper as drawn: grey is theirs, colour is ours, dashed is linearised."""

import json

import numpy as np
import pytest

from lazycore.figures import export, finding, reproduction, style
from lazycore.papers.lazy_training.figures import _reported
from lazycore.papers.reproduction import Curve, collect, find

X = np.array([0.01, 0.1, 1.0])


def curve(runs, line="end of training", look="nonlinear") -> Curve:
    return Curve.of_runs(line, X, np.array(runs, dtype=float), look)


def by_name(figure) -> dict:
    return {trace["name"]: trace for trace in figure["data"]}


@pytest.mark.parametrize("name", [n for n, one in collect().items() if one.kind == "curves"])
def test_every_figure_is_drawn_before_anything_is_computed(name):
    figure = reproduction.figure(find(name), [])
    said = [note["text"] for note in figure["layout"]["annotations"]]
    assert said == ["nothing computed yet"] and figure["layout"]["meta"]["alt"]
    assert all("reported" in trace["name"] for trace in figure["data"])
    json.dumps(figure, allow_nan=False)


def test_what_is_reported_is_grey_and_says_so_and_what_is_computed_does_not():
    figure = reproduction.figure(find("1c"), [curve([[1, 2, 3], [2, 3, 4], [3, 4, 5]])])
    theirs = {n: t for n, t in by_name(figure).items() if "reported" in n}
    assert {t["line"]["color"] for t in theirs.values()} == {style.GREY}
    ours = by_name(figure)["end of training (N = 3)"]
    assert ours["line"]["color"] == style.BLUE and ours["line"]["dash"] == "solid"
    assert ours["y"] == [2.0, 3.0, 4.0]
    names = [trace["name"] for trace in figure["data"]]
    assert max(map(names.index, theirs)) < names.index("end of training (N = 3)"), "grey is under"
    assert "grey: reported" in figure["layout"]["title"]["subtitle"]["text"]


def test_it_says_in_words_how_each_line_goes_here_and_in_the_paper():
    figure = reproduction.figure(find("1c"), [curve([[1, 2, 3], [2, 3, 4], [3, 4, 5]])])
    said = figure["layout"]["meta"]["alt"]
    assert (
        "end of training: computed here from 2 to 4 over 0.01 to 1; reported from" in said.lower()
    )
    end = _reported.curve("1c", "end of training").mean
    assert f"reported {finding.course(end)} over" in said


def test_bands_take_three_runs_and_are_one_standard_deviation():
    figure = reproduction.figure(find("4"), [curve([[1, 2, 3], [2, 3, 4], [3, 4, 5]])])
    band = by_name(figure)["end of training (N = 3): one standard deviation"]
    assert band["y"] == [3.0, 4.0, 5.0, 3.0, 2.0, 1.0] and not band["showlegend"]
    two = reproduction.figure(find("4"), [curve([[1, 2, 3], [2, 3, 4]])])
    assert [t["y"] for t in two["data"]] == [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    assert [t["showlegend"] for t in two["data"]] == [True, False]
    assert {t["name"] for t in two["data"]} == {"end of training (N = 2)"}


def test_a_reported_band_is_the_papers():
    figure = reproduction.figure(find("1c"), [])
    band = by_name(figure)["end of training, reported: one standard deviation"]
    end = _reported.curve("1c", "end of training")
    np.testing.assert_allclose(band["y"][:33], end.mean + end.std)


def test_the_linearisation_is_dashed_and_told_by_its_mark():
    ours = [curve([[1, 2, 3]]), curve([[1, 2, 3]], "linearised, end", "linearized")]
    network, straight = reproduction.figure(find("4"), ours)["data"]
    assert straight["line"]["dash"] == style.MODELS["linearized"]["dash"] != "solid"
    assert network["marker"]["symbol"] != straight["marker"]["symbol"]
    many = curve([[1, 2, 3], [2, 3, 4], [3, 4, 5]], look="linearized")
    assert len(reproduction.figure(find("4"), [many])["data"]) == 1, "the network alone has a band"


def test_logarithmic_axes_are_those_of_the_paper_and_can_be_turned_off():
    one = find("7a")
    for log, kind in ((True, "log"), (False, "linear")):
        layout = reproduction.figure(one, [], log)["layout"]
        assert (layout["xaxis"]["type"], layout["yaxis"]["type"]) == (kind, kind)
    nothing = Curve.of_runs("training loss", X, np.array([[0.0, 1.0, 2.0]]))
    drawn = by_name(reproduction.figure(one, [nothing]))["training loss"]
    assert drawn["x"] == [0.1, 1.0], "a logarithm has no place for 0"


def test_the_numbers_of_a_figure_can_be_taken_away():
    text = export.csv(reproduction.figure(find("1c"), [curve([[1, 2, 3]])]))
    assert "end of training,0.1,2.0" in text and '"end of training, reported",0.01,0.075' in text


def test_neurons_carry_the_name_of_their_part(make_run):
    figure = reproduction.neurons_figure(make_run(1.0), "τ = 2, paired")
    assert figure["layout"]["title"]["text"] == "τ = 2, paired"
    assert figure["frames"]
