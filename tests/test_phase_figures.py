"""The figures of the phases: their numbers, what failed seen and counted, guides where they are."""

import re

import numpy as np
import plotly.graph_objects as go
import pytest
from made_up_phases import BORDER, digest_at, made_up_cube, made_up_phases

from lazycore.figures import export, phasecounts, phasecurves, phasemap, phasewidths
from lazycore.papers.feature_lazy.phases import collapse, cube_of, fluctuations
from lazycore.results.sweep import SweepResult


@pytest.fixture(scope="module")
def cube():
    return made_up_cube()


def named(figure, start):
    return [t for t in figure["data"] if t["name"].startswith(start)]


def every(cube):
    """Return each figure by name, in both axes where it has them."""
    drawn = {f"{n} {a}": f(cube, a) for n, f in phasecurves.CURVES.items() for a in (True, False)}
    drawn |= {f"map {a}": phasemap.figure(cube, a) for a in (True, False)}
    drawn |= {"border": phasewidths.border([cube]), "variance": phasewidths.variance(cube)}
    return drawn | {"ensemble": phasewidths.ensemble(cube, 1e-2, 1e4)}


def test_every_figure_is_one_that_plotly_takes_with_titles_alt_and_csv(cube):
    for name, figure in every(cube).items():
        go.Figure(figure)
        layout = figure["layout"]
        assert layout["meta"]["alt"] and layout["title"]["subtitle"]["text"], name
        for axis in ("xaxis", "yaxis"):
            assert "(" in layout[axis]["title"]["text"], f"{name}: {axis} has no unit"
        assert export.csv(figure).count("\n") > 3, name


def alt_of(figure):
    return figure["layout"]["meta"]["alt"]


def test_every_figure_says_in_words_what_is_seen_in_it(cube):
    # The made-up kernel changes by its own size at √hα = 5, whatever the width.
    said = alt_of(phasemap.figure(cube))
    # Straight between decades of √hα, of which the law has a kink in one.
    for end in re.findall(r"own size at √hα = ([\d.]+) to ([\d.]+)\. ", said)[0]:
        assert float(end) == pytest.approx(BORDER, rel=0.25)
    assert "widths within 0.00 decades" in alt_of(phasecurves.kernel_change(cube))
    assert "h = 25 from" in alt_of(phasecurves.kernel_change(cube)), "a symbol is not capitalised"
    spread = alt_of(phasewidths.variance(cube))
    assert "√hα = 0.0001: from" in spread and "power −0.950" in spread
    errors = alt_of(phasewidths.ensemble(cube, 1e-2, 1e4))
    assert re.search(r"Feature, √hα = 0.01: single from [\d.]+% to [\d.]+%, ensemble from", errors)
    assert "Lazy, √hα = 10000" in errors


def test_every_figure_of_an_empty_sweep_says_that_nothing_is_there():
    config = made_up_phases().config
    table = type(made_up_phases())(config)
    for figure in every(cube_of(table)).values():
        go.Figure(figure)
    assert "132 are not there yet" in phasemap.figure(cube_of(table))["layout"]["meta"]["alt"]


def test_the_map_has_the_mean_error_of_every_place(cube):
    figure = phasemap.figure(cube)
    columns = named(figure, "test error")
    assert [t["name"] for t in columns] == [f"test error, h = {h}" for h in (25, 100, 400)]
    z = np.array([np.ravel(t["z"]) for t in columns])
    np.testing.assert_allclose(z, collapse.test_error(cube))
    axis = figure["layout"]["coloraxis"]
    assert (axis["cmin"], axis["cmax"]) == (pytest.approx(z.min()), pytest.approx(z.max()))
    assert "h = 100, √hα = 1, α = 0.1" in columns[1]["text"][4][0]
    assert columns[1]["text"][4][0].endswith("N = 4")


def test_the_numbers_of_the_map_stand_at_the_places_of_its_cells(cube):
    rows = export.csv(phasemap.figure(cube, in_alpha=True)).splitlines()
    error = collapse.test_error(cube)[1, 4]
    assert f'"test error, h = 100",100.0,0.1,{error}' in rows


def test_cells_meet_halfway_between_their_places(cube):
    columns = named(phasemap.figure(cube), "test error")
    assert columns[0]["x"][1] == pytest.approx(50.0) == pytest.approx(columns[1]["x"][0])
    assert np.log10(columns[0]["y"]) == pytest.approx(np.arange(-4.5, 6.6))


def test_in_alpha_the_cells_and_the_border_lean_by_the_root_of_the_width(cube):
    level, leaning = phasemap.figure(cube), phasemap.figure(cube, in_alpha=True)
    for one, other, h in zip(
        named(level, "test"), named(leaning, "test"), cube.widths, strict=True
    ):
        assert np.array(one["y"]) == pytest.approx(np.sqrt(h) * np.array(other["y"]))
    border = named(leaning, "contour 1")[0]
    x, y = np.array(border["x"], dtype=float), np.array(border["y"], dtype=float)
    assert np.polyfit(np.log(x), np.log(y), 1)[0] == pytest.approx(-0.5)
    assert set(named(level, "contour 1")[0]["y"]) != set(border["y"])
    shown = 10.0 ** np.array(leaning["layout"]["yaxis"]["range"])
    cells = np.concatenate([t["y"] for t in named(leaning, "test")])
    assert shown == pytest.approx([cells.min(), cells.max()])


def test_the_contours_are_those_asked_for(cube):
    figure = phasemap.figure(cube)
    names = [t["name"] for t in named(figure, "contour") if t.get("showlegend", True)]
    assert names == [f"contour {s}" for s in ("10<sup>−4</sup>", "0.01", "1", "100")]
    far = phasemap.figure(cube, levels=[1e20])
    assert named(far, "contour")[0]["name"].startswith("contour 10<sup>20</sup> (nowhere)")


@pytest.mark.parametrize("status", ["failed", "diverged", "budget"])
def test_a_run_that_went_wrong_is_crossed_counted_and_said(status):
    table = made_up_phases()
    digests = {
        "d" + digest_at(table, width=100, alpha_sqrt_width=1e-2, init_seed=seed): status
        for seed in (0, 3)
    }
    cube = made_up_cube(None, **digests)
    figure = phasemap.figure(cube)
    cross = [t for t in named(figure, "2 runs ended early") if "rim" not in t["name"]]
    assert [(t["x"], t["y"]) for t in cross] == [([100.0], [1e-2])]
    text = named(figure, "test error")[1]["text"][2][0]
    assert text.endswith(f"N = 2, 2 {status}")
    words = {"failed": "failed", "diverged": "diverged", "budget": "ended on their budget"}
    said = phasecounts.counted(cube)
    assert said == f"130 of 132 runs reached their end, 2 {words[status]}."
    assert said in figure["layout"]["meta"]["alt"]


def test_without_a_wrong_run_there_is_no_cross(cube):
    assert not [t for t in phasemap.figure(cube)["data"] if "ended early" in t["name"]]


FIGURES = {
    "map": phasemap.figure,
    "border": lambda cube: phasewidths.border([cube]),
    "variance": phasewidths.variance,
    "ensemble": lambda cube: phasewidths.ensemble(cube, 1e-2, 1e4),
    **phasecurves.CURVES,
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_marks_the_runs_that_ended_early_and_counts_them(name):
    """Two of four seeds at h = 100, √hα = 1, and all four at h = 400, √hα = 1e4."""
    places = [(100, 1.0, (0, 3), "failed"), (400, 1e4, range(4), "budget")]
    table = made_up_phases()
    digests = {
        "d" + digest_at(table, width=h, alpha_sqrt_width=scale, init_seed=seed): status
        for h, scale, seeds, status in places
        for seed in seeds
    }
    drawn = FIGURES[name](made_up_cube(None, **digests))
    said = drawn["layout"]["title"]["subtitle"]["text"]
    assert "6 runs ended early" in said
    assert "N = 4," in said if name == "border" else "N = 0 to 4" in said
    marked = [t for t in drawn["data"] if "ended early" in t["name"] and "rim" not in t["name"]]
    if name == "border":
        return  # it is known for every seed: none of those runs is next to it
    (cross,) = marked
    across = [100.0, 400.0] if name in ("map", "variance", "ensemble") else [1.0, 1e4]
    if name == "ensemble":
        across = [400.0]
    assert sorted(cross["x"]) == across
    assert all(np.isfinite(np.array(cross["y"], float)))


def test_a_border_that_a_run_has_taken_away_is_crossed():
    table = made_up_phases()
    near = [s for s in cube_of(table).scales if 0.5 < s < 50.0]
    digests = {
        "d" + digest_at(table, width=100, alpha_sqrt_width=s, init_seed=1): "diverged"
        for s in cube_of(table).scales
        if s >= near[0]
    }
    drawn = phasewidths.border([made_up_cube(None, **digests)])
    (cross,) = [t for t in drawn["data"] if t["name"] == "1 run ended early"]
    assert cross["x"] == [100.0] and "N = 3 to 4" in drawn["layout"]["title"]["subtitle"]["text"]


def test_a_sweep_that_is_whole_says_one_number_and_one_that_is_not_there_its_seeds():
    assert phasecounts.seeds_said(made_up_cube()) == "mean over N = 4 seeds"
    nothing = cube_of(SweepResult(made_up_phases().config))
    assert phasecounts.seeds_said(nothing) == "mean over N = 4 seeds"
    assert phasecounts.seeds_said(made_up_cube({"init_seed": "0,"})) == "one seed"


# ── curves ───────────────────────────────────────────────────────────────────────────────
def test_the_kernel_curves_hold_the_geometric_means_and_the_theorys_slopes(cube):
    figure = phasecurves.kernel_change(cube)
    lines = [t for t in named(figure, "h = ") if "band" not in t["name"]]
    assert [t["name"] for t in lines] == ["h = 25", "h = 100", "h = 400"]
    assert lines[0]["y"] == pytest.approx(cube.means("kernel_change")[0].tolist())
    guides = named(figure, "slope")
    assert [g["name"] for g in guides] == ["slope −2L/(L+1) = −1.5", "slope −1"]
    for guide, power in zip(guides, (-1.5, -1.0), strict=True):
        x, y = np.log(guide["x"]), np.log(guide["y"])
        assert np.diff(y) / np.diff(x) == pytest.approx(power)
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < np.log10(lines[0]["y"][-1]) and np.log10(lines[0]["y"][0]) < high


def test_along_alpha_the_curves_stand_apart_by_the_root_of_the_width(cube):
    figure = phasecurves.kernel_change(cube, in_alpha=True)
    lines = [t for t in named(figure, "h = ") if "band" not in t["name"]]
    assert np.array(lines[0]["x"]) == pytest.approx(4.0 * np.array(lines[2]["x"]))
    assert not named(figure, "slope")


def test_bands_need_three_seeds():
    for seeds, bands in (("0:2", 0), ("0:3", 3)):
        cube = made_up_cube({"init_seed": seeds})
        figure = phasecurves.kernel_change(cube)
        assert sum("band" in t["name"] for t in figure["data"]) == bands
        assert ("shaded" in figure["layout"]["title"]["subtitle"]["text"]) is bool(bands)
        assert f"N = {seeds[-1]}" in figure["layout"]["title"]["subtitle"]["text"]


def test_of_many_widths_six_are_drawn_evenly_spread():
    assert phasecurves.spread_out(3) == [0, 1, 2]
    assert phasecurves.spread_out(11) == [0, 2, 4, 6, 8, 10]


def test_the_scaled_variance_is_h_times_var(cube):
    figure = phasecurves.scaled_variance(cube)
    line = next(t for t in named(figure, "h = 100") if "band" not in t["name"])
    found = fluctuations.variances(cube)
    assert line["y"] == pytest.approx((100.0 * found.value[1]).tolist())


# ── against the width ────────────────────────────────────────────────────────────────────
def test_the_border_has_a_dot_a_seed_a_fit_and_the_slope_one_half(cube):
    figure = phasewidths.border([made_up_cube({"depth": "1"})])
    dots = named(figure, "one network")[0]
    assert len(dots["x"]) == len(dots["y"]) == 12
    guide = named(figure, "slope −1/2")[0]
    assert np.polyfit(np.log(guide["x"]), np.log(guide["y"]), 1)[0] == pytest.approx(-0.5)
    middle = named(figure, "geometric mean")[0]
    assert middle["y"] == pytest.approx((BORDER / np.sqrt(cube.widths)).tolist())
    assert (
        "slope −0.500 (−0.500 to −0.500), N = 4" in (figure["layout"]["title"]["subtitle"]["text"])
    )


def test_the_variance_is_drawn_at_decades_with_its_slope(cube):
    figure = phasewidths.variance(cube)
    lines = [t for t in named(figure, "√hα") if "band" not in t["name"]]
    assert len(lines) == 6 and all("slope −" in t["name"] for t in lines)
    assert named(figure, "slope −1")


def test_the_ensemble_is_dotted_beside_its_networks(cube):
    figure = phasewidths.ensemble(cube, 1e-2, 1e4)
    found = fluctuations.errors(cube)
    for side, i in (("feature", 2), ("lazy", 8)):
        single, mean = (named(figure, side)[k] for k in (1, 2))
        assert single["y"] == pytest.approx(found.single[:, i].tolist())
        assert mean["y"] == pytest.approx(found.ensemble[:, i].tolist())
        assert (single["line"]["dash"], mean["line"]["dash"]) == ("solid", "2px,4px")
    bare = phasewidths.ensemble(cube_of(_without_outputs()), 1e-2, 1e4)
    assert bare["layout"]["annotations"][0]["text"] == "these runs have kept no outputs"


def _without_outputs():
    table = made_up_phases()
    table._outputs = None
    return table
