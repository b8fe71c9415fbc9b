"""The heat map of a sweep and its lines: traces, axes, numbers, marks, exponents."""

import csv
import io

import numpy as np
import plotly.graph_objects as go
import pytest
from made_up_sweep import digest_at, made_up_sweep, medians, plane

from lazycore.errors import ConfigError
from lazycore.figures import bands, export, heatmap, quantity
from lazycore.results.quantities import QUANTITIES
from lazycore.results.sweep import SweepResult

ALPHAS, WIDTHS = (0.1, 1.0, 10.0, 100.0), (16, 64)


def named(figure, part):
    """Return the traces whose name holds `part`, rims left out."""
    return [t for t in figure["data"] if part in t.get("name", "") and "rim" not in t["name"]]


# ── the map ──────────────────────────────────────────────────────────────────────────────
def test_the_map_has_a_colour_for_each_cell_by_logarithm():
    figure = heatmap.figure(plane(made_up_sweep()))
    go.Figure(figure)
    heat = figure["data"][0]
    expected = medians(ALPHAS, WIDTHS)
    np.testing.assert_allclose(heat["z"], np.log10(expected))
    assert (heat["x"], heat["y"]) == (list(ALPHAS), list(WIDTHS))
    assert figure["layout"]["xaxis"]["type"] == figure["layout"]["yaxis"]["type"] == "log"
    assert "(no unit)" in figure["layout"]["xaxis"]["title"]["text"]
    alt = figure["layout"]["meta"]["alt"]
    assert "8 of 8 cells" in alt and "at α = 100 and width = 64 to" in alt


def test_a_quantity_that_is_no_scale_has_linear_colours():
    heat = heatmap.figure(plane(made_up_sweep(), "activation_stability"))["data"][0]
    np.testing.assert_allclose(heat["z"], medians(ALPHAS, WIDTHS))


def test_hovering_says_numbers_verdict_and_seeds():
    said = heatmap.figure(plane(made_up_sweep()))["data"][0]["text"][1][3]
    for part in ("α = 100", "width = 64", "<b>0.0015</b>", "lazy", "N = 3"):
        assert part in said


def test_csv_of_the_map_has_the_values_themselves():
    text = export.csv(heatmap.figure(plane(made_up_sweep()), (0.05,)))
    assert "contour 0.05," in text and "rim" not in text
    rows = [r for r in csv.DictReader(io.StringIO(text)) if r["value"]]
    found = np.array([float(row["value"]) for row in rows]).reshape(2, 4)
    np.testing.assert_allclose(found, medians(ALPHAS, WIDTHS))


def test_a_contour_runs_where_the_law_has_its_level():
    figure = heatmap.figure(plane(made_up_sweep()), (0.05,))
    (line,) = named(figure, "contour 0.05")
    assert line["line"]["dash"] == "solid" and len(line["x"]) > 1
    values = [1.2 / x / w**0.5 for x, w in zip(line["x"], line["y"], strict=True)]
    np.testing.assert_allclose(values, 0.05)


def test_levels_have_dashes_of_their_own_and_say_where_they_are_not_reached():
    figure = heatmap.figure(plane(made_up_sweep()), (0.05, 0.5, 1e6))
    lines = named(figure, "contour")
    assert len({line["line"]["dash"] for line in lines}) == 3
    assert [line["name"] for line in lines][-1] == "contour 1e+06 (nowhere)"


@pytest.mark.parametrize(("status", "name"), [(s, m[0]) for s, m in heatmap.MARKS.items()][:4])
def test_what_did_not_reach_its_end_has_a_mark_at_its_place(status, name):
    table = made_up_sweep()
    wrong = {"d" + digest_at(table, alpha=10.0, width=64, seed=seed): status for seed in (0, 1, 2)}
    figure = heatmap.figure(plane(made_up_sweep(**wrong)))
    go.Figure(figure)
    (mark,) = named(figure, name)
    assert (mark["x"], mark["y"]) == ([10.0], [64.0])
    assert figure["data"][0]["z"][1][2] is None
    assert name in figure["data"][0]["text"][1][2]
    early = "" if status == "missing" else ", 3 runs ended early"
    lines = bands.figure(plane(made_up_sweep(**wrong)), [0, 1])
    for drawn, along in ((figure, "N = 3 seeds"), (lines, "shaded")):
        assert f"{along}{early}" in drawn["layout"]["title"]["subtitle"]["text"]
    crosses = [(t["x"], t["y"]) for t in lines["data"] if t["name"] == "3 runs ended early"]
    medians = np.concatenate([t["y"] for t in named(lines, "(N = ")])
    assert crosses == ([([10.0], [medians.min()])] if early else [])
    symbols = {look[1] for look in heatmap.MARKS.values()}
    assert len(symbols) == len(heatmap.MARKS)


def test_why_a_run_failed_is_said_when_its_cell_is_hovered():
    digest = digest_at(made_up_sweep(), alpha=10.0, width=64, seed=0)
    figure = heatmap.figure(plane(made_up_sweep(**{"d" + digest: "failed"})))
    assert "more memory than it may" in figure["data"][0]["text"][1][2]


def test_the_chosen_cell_is_framed():
    found = plane(made_up_sweep())
    (frame,) = named(heatmap.figure(found, chosen=found.rows[1][2]), "chosen")
    assert (frame["x"], frame["y"]) == ([10.0], [64.0])


def test_a_map_of_nothing_and_one_of_one_row_are_valid():
    table = SweepResult(made_up_sweep().config)
    figure = heatmap.figure(plane(table), (0.05,))
    go.Figure(figure)
    assert "0 of 8 cells" in figure["layout"]["meta"]["alt"]
    one = made_up_sweep({"task": "sine", "alpha": "1,10,100", "width": "16"})
    go.Figure(heatmap.figure(plane(one, y=None), (0.05,)))


def test_no_scatter_has_more_than_300_points():
    fields = {"task": "sine", "alpha": "0.1:100:40", "width": "8:200:20"}
    table = SweepResult(made_up_sweep(fields).config)
    (mark,) = named(heatmap.figure(plane(table)), "not yet")
    assert len(mark["x"]) == 300


def test_words_on_an_axis_are_its_ticks():
    fields = {"task": "sine", "alpha": "1,10", "activation": "tanh,softplus"}
    axis = heatmap.figure(plane(made_up_sweep(fields), y="activation"))["layout"]["yaxis"]
    assert axis["ticktext"] == ["tanh", "softplus"] and axis["type"] == "linear"


def test_levels_are_read_from_text_and_have_the_verdicts_for_defaults():
    assert heatmap.parse_levels("0.05, 1e-1", "kappa") == (0.05, 0.1)
    assert heatmap.parse_levels(" ", "relative_gap") == (0.05,)
    assert heatmap.parse_levels("", "kernel_change") == (0.1, 1.0)
    assert heatmap.parse_levels("", "kappa") == ()


@pytest.mark.parametrize("text", ["abc", "0.1 0.2", "nan", "1,2,3,4,5"])
def test_levels_that_are_none_are_refused_in_a_sentence(text):
    with pytest.raises(ConfigError, match="give at most 4 numbers by commas"):
        heatmap.parse_levels(text, "kappa")


# ── the lines ────────────────────────────────────────────────────────────────────────────
def config_of(table):
    return table.config.base.resolve().to_dict()


def test_three_seeds_have_a_median_in_a_band_with_n_in_the_legend():
    table = made_up_sweep()
    figure = bands.figure(plane(table), [0, 1], config_of(table))
    go.Figure(figure)
    (line,) = named(figure, "width = 64 (N = 3)")
    np.testing.assert_allclose(line["y"], medians(ALPHAS, WIDTHS)[1])
    (band,) = named(figure, "width = 64: 10 and 90 %")
    expected = medians(ALPHAS, WIDTHS)[1] / 1.2
    np.testing.assert_allclose(band["y"][:4], 1.36 * expected)
    np.testing.assert_allclose(band["y"][4:], 1.04 * expected[::-1])


def test_two_seeds_are_two_lines_and_no_band():
    table = made_up_sweep({"task": "sine", "alpha": "1,10,100", "width": "16,64", "seed": "0:2"})
    figure = bands.figure(plane(table), [0], config_of(table))
    lines = named(figure, "width = 16 (N = 2)")
    assert len(lines) == 2 and sum(line["showlegend"] for line in lines) == 1
    assert not named(figure, "10 and 90 %")
    assert "single runs" in figure["layout"]["title"]["subtitle"]["text"]


def test_lines_differ_in_mark_as_well_as_in_colour():
    table = made_up_sweep()
    figure = bands.figure(plane(table), [0, 1], config_of(table))
    looks = [(t["marker"]["symbol"], t["line"]["color"]) for t in named(figure, "(N = 3)")]
    assert len({symbol for symbol, _ in looks}) == len({color for _, color in looks}) == 2


def test_exponents_of_the_law_are_found_over_its_lazy_end():
    table = made_up_sweep()
    first, second = bands.fits(plane(table), [0, 1])
    assert (first.label, second.label) == ("width = 16", "width = 64")
    assert first.exponent.value == pytest.approx(-1.0)
    assert first.lazy and first.over == (1.0, 10.0, 100.0)
    assert first.measured == "−1.00 (−1.00, −1.00)"


def test_an_undecided_gap_is_no_finding():
    table = made_up_sweep()
    table._verdict[-6:] = 4  # undecided: α = 100
    (fit,) = bands.fits(plane(table), [1])
    assert 100.0 not in fit.over
    (of_kernel,) = bands.fits(plane(table, "kernel_change"), [1])
    assert 100.0 in of_kernel.over


def test_the_theorem_is_drawn_dashed_and_grey_with_its_slope_and_name():
    table = made_up_sweep()
    figure = bands.figure(plane(table), [0, 1], config_of(table))
    (line,) = named(figure, "Theorem 2.2: α<sup>−1</sup>")
    rise = np.diff(np.log(line["y"])) / np.diff(np.log(line["x"]))
    assert rise == pytest.approx(-1.0)
    assert line["line"]["dash"] != "solid" and line["line"]["color"] == bands.style.GREY


@pytest.mark.parametrize(
    ("name", "zero_output", "power"),
    [
        ("relative_gap", "centered", -1.0),
        ("largest_gap", "symmetrized", -2.0),
        ("largest_gap", "none", 1.0),
        ("relative_gap", "none", None),
        ("final_displacement", "centered", -1.0),
        ("final_parameter_gap", "centered", -2.0),
        ("final_train_loss", "centered", None),
    ],
)
def test_guides_stand_where_a_theorem_gives_one(name, zero_output, power):
    table = made_up_sweep()
    found = bands.guide(plane(table, name), config_of(table) | {"zero_output": zero_output})
    assert (found.exponent if found else None) == power


def test_along_the_width_there_is_an_exponent_but_no_theorem():
    table = made_up_sweep({"task": "sine", "alpha": "1,10", "width": "16,64,256", "seed": "0:3"})
    found = plane(table, x="width", y="alpha")
    assert bands.guide(found, config_of(table)) is None
    assert bands.fits(found, [0])[0].exponent.value == pytest.approx(-0.5)


def test_lines_of_nothing_say_so():
    table = SweepResult(made_up_sweep().config)
    figure = bands.figure(plane(table), [0, 1], config_of(table))
    go.Figure(figure)
    assert "no run has ended yet" in figure["layout"]["annotations"][0]["text"]


@pytest.mark.parametrize("name", QUANTITIES)
@pytest.mark.parametrize("loss", ["square", "logistic"])
def test_every_quantity_has_a_meaning_and_a_unit(name, loss):
    assert quantity.title(name, loss).endswith(")") and quantity.unit(name, loss)


@pytest.mark.parametrize(
    "loss, of_loss, of_outputs",
    [
        ("square", "target units²", "target units"),
        ("logistic", "nats", "logits"),
        ("cross_entropy", "nats", "logits"),
        ("soft_hinge", "output units", "output units"),
        (None, "target units²", "target units"),
    ],
)
def test_the_units_of_a_quantity_are_those_of_the_loss(loss, of_loss, of_outputs):
    assert quantity.unit("final_test_loss", loss) == of_loss
    assert (
        quantity.unit("largest_gap", loss) == quantity.unit("numerical_error", loss) == of_outputs
    )
    assert quantity.unit("final_displacement", loss) == "weight units"
    assert quantity.unit("final_test_error", loss) == "share"
    assert quantity.unit("relative_gap", loss) == "no unit"
