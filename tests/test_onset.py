"""Where runs begin to be lazy: laws whose crossing is known, and intervals that hold."""

import math
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from made_up_sweep import FIELDS, made_up_sweep, plane

from lazycore.figures import bands
from lazycore.results.onset import Onset, along, onset, sentence
from lazycore.results.plane import Axis
from lazycore.results.sweep import STATUSES
from lazycore.results.tabled import VERDICTS

ALPHAS = np.geomspace(0.1, 1000.0, 9)
ALPHA = Axis("alpha", tuple(ALPHAS))


def law(gap_at, kernel_at, power: float = -1.0, places=ALPHAS) -> dict[str, np.ndarray]:
    """Return both quantities as powers that meet their thresholds at these places, a row a seed."""
    gap_at, kernel_at = (np.reshape(at, (-1, 1)) for at in (gap_at, kernel_at))
    return {
        "relative_gap": 0.05 * (places / gap_at) ** power,
        "kernel_change": 0.1 * (places / kernel_at) ** power,
    }


def found(values, places=ALPHAS, log: bool = True) -> Onset:
    result = onset(places, values, log)
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("gap_at", "kernel_at", "where", "decides"),
    [(5.6, 2.0, 5.6, "gap (5 %)"), (5.6, 70.0, 70.0, "kernel (0.1)")],
)
def test_the_later_of_both_crossings_is_where_runs_get_lazy(gap_at, kernel_at, where, decides):
    one = found(law(gap_at, kernel_at))
    assert one.value == pytest.approx(where) and one.decides == decides and one.rising
    assert one.low <= where <= one.high
    assert min(abs(one.low / ALPHAS - 1.0)) < 1e-9
    assert one.high / one.low == pytest.approx(ALPHAS[1] / ALPHAS[0])
    assert (one.seeds, one.is_sure) == (1, False)


def test_where_runs_get_lazy_downwards_it_is_the_mirror_image():
    one = found(law(5.6, 20.0, power=1.0))
    assert one.value == pytest.approx(5.6) and not one.rising
    assert one.low < 5.6 < one.high
    assert sentence(one, Axis("init_scale", tuple(ALPHAS))).startswith("Lazy up to τ* = 5.6 (")


def test_a_quantity_that_comes_back_above_its_threshold_counts_to_the_last():
    gap = np.where(np.arange(9) == 6, 0.06, 0.01)
    one = found({"relative_gap": gap, "kernel_change": np.full(9, 1e-3)})
    assert ALPHAS[6] < one.value < ALPHAS[7] and one.low == pytest.approx(ALPHAS[6])


def test_an_axis_that_is_not_spaced_by_ratio_is_straight_in_itself():
    depths = np.array([1.0, 2.0, 3.0])
    gap = np.exp(np.log(0.05) + np.array([1.0, 0.5, -0.5]))
    one = found({"relative_gap": gap, "kernel_change": np.full(3, 1e-3)}, depths, log=False)
    assert one.value == pytest.approx(2.5) and (one.low, one.high) == (2.0, 3.0)


@pytest.mark.parametrize(
    ("at", "words"),
    [(0.01, "Lazy all over, from α = 0.1 to 1000"), (1e5, "Nowhere lazy up to α = 1000")],
)
def test_where_nothing_crosses_it_is_a_sentence(at, words):
    one = found(law(at, at))
    assert not one.is_there and one.criteria == ()
    assert sentence(one, ALPHA) == f"{words} (N = 1)."


def test_a_seed_that_does_not_cross_leaves_the_interval_open():
    one = found(law([5.6, 7.0, 1e5], [1.0, 1.0, 1.0]))
    assert one.value == pytest.approx(7.0) and math.isinf(one.high) and not one.is_sure
    assert "above 3.2; N = 3" in sentence(one, ALPHA) and one.decides == "gap (5 %)"
    most = found(law([1e5, 1e5, 5.6], [1.0, 1.0, 1.0]))
    assert sentence(most, ALPHA) == "Nowhere lazy up to α = 1000 (in 2 of 3 seeds)."


def test_the_criterion_is_that_of_most_seeds():
    assert found(law([5.0, 5.0, 5.0], [1.0, 1.0, 9.0])).decides == "gap (5 %), in 2 of 3"


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_holds_the_true_crossing_nineteen_times_in_twenty(seeds):
    rng = np.random.default_rng(5)
    trials, hits = 200, 0
    for _ in range(trials):
        values = law(5.6 * np.exp(0.3 * rng.normal(size=seeds)), np.ones(seeds))
        one = found(values)
        hits += one.is_sure and one.low <= 5.6 <= one.high
    assert 0.89 <= hits / trials <= 0.995


def test_what_does_not_count_has_no_say():
    values = law(5.6, 1.0)
    values["relative_gap"][0, [0, -1]] = np.nan
    one = found(values)
    assert one.value == pytest.approx(5.6) and one.ends == (ALPHAS[1], ALPHAS[-2])
    nothing = {name: np.full((2, 9), np.nan) for name in values}
    assert onset(ALPHAS, nothing) is None
    assert "Nothing is known yet" in sentence(None, ALPHA)


def test_a_sweep_has_a_crossing_for_each_of_its_lines():
    """The gap is (1 + seed/5)/(α √width): at 5 % it is at α = 5 for width 16, 2.5 for 64."""
    table = made_up_sweep(FIELDS | {"alpha": "0.1:1000:9"})
    table._verdict[table._verdict == VERDICTS.index("lazy")] = VERDICTS.index("crossover")
    table._verdict[table.values[:, 0] < 0.05] = VERDICTS.index("lazy")
    narrow, wide = along(table.frame, table.config.axes, "alpha", "width")
    assert narrow is not None and wide is not None
    mean = np.exp(np.log([1.0, 1.2, 1.4]).mean())
    assert (narrow.value, wide.value) == pytest.approx((5.0 * mean, 2.5 * mean))
    assert (narrow.seeds, narrow.is_sure, narrow.left_out) == (3, True, 0)


def test_undecided_and_failed_runs_are_left_out_and_said():
    table = made_up_sweep(FIELDS | {"width": "16"})
    table._verdict[-1] = VERDICTS.index("undecided")
    table._status[0] = STATUSES.index("failed")
    table._status[1] = STATUSES.index("missing")
    (one,) = along(table.frame, table.config.axes, "alpha")
    assert one is not None and one.left_out == 2
    assert "2 runs are left out: undecided, diverged or failed." in sentence(one, ALPHA)


def test_a_kernel_that_came_back_is_not_lazy_by_where_it_ended():
    table = made_up_sweep(FIELDS | {"width": "16", "seed": "0", "alpha": "10:1000:3"})
    table.values *= 0.1  # both are below their thresholds at every end
    table._verdict[:] = [VERDICTS.index(word) for word in ("crossover", "crossover", "lazy")]
    (one,) = along(table.frame, table.config.axes, "alpha")
    assert one is not None and one.value == pytest.approx(100.0) and one.decides == "kernel (0.1)"


def test_an_axis_of_words_has_none():
    table = made_up_sweep({"task": "sine", "loss": "square,logistic", "alpha": "1,10"})
    assert along(table.frame, table.config.axes, "loss", "alpha") == [None, None]


# ── drawn ────────────────────────────────────────────────────────────────────────────────
def test_the_line_has_its_threshold_and_where_it_gets_lazy_shaded():
    table = made_up_sweep(FIELDS | {"width": "16"})
    lazy_from = along(table.frame, table.config.axes, "alpha")
    figure = bands.figure(plane(table, y=None), [0], lazy_from=lazy_from)
    go.Figure(figure)
    threshold, upright, shaded = figure["layout"]["shapes"]
    (one,) = lazy_from
    assert one is not None and threshold["y0"] == threshold["y1"] == 0.05
    assert upright["x0"] == upright["x1"] == one.value
    assert (shaded["x0"], shaded["x1"]) == (one.low, one.high)
    texts = [note["text"] for note in figure["layout"]["annotations"]]
    assert texts == ["lazy below 0.05", " α* = 5.9"]


def test_several_lines_have_an_upright_in_their_colours_and_no_shade():
    table = made_up_sweep()
    lazy_from = along(table.frame, table.config.axes, "alpha", "width")
    figure = bands.figure(plane(table, "kernel_change"), [0, 1], lazy_from=lazy_from)
    threshold, *uprights = figure["layout"]["shapes"]
    assert threshold["y0"] == 0.1 and [shape["type"] for shape in uprights] == ["line", "line"]
    assert [shape["line"]["color"] for shape in uprights] == [c for c, _ in bands.LOOKS[:2]]
    other = bands.figure(plane(table, "kappa"), [0, 1], lazy_from=lazy_from)
    assert [shape["x0"] for shape in other["layout"]["shapes"]] == [s["x0"] for s in uprights]


def test_an_open_interval_is_shaded_to_the_end_of_the_axis():
    table = made_up_sweep(FIELDS | {"width": "16"})
    open_end = replace(found(law([5.6, 7.0, 1e5], [1.0] * 3)), value=7.0)
    figure = bands.figure(plane(table, y=None), [0], lazy_from=[open_end])
    axis = Axis("alpha", table.config.axes["alpha"])
    assert figure["layout"]["shapes"][2]["x1"] == pytest.approx(10.0 ** axis.ends[1])
