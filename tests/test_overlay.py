"""Runs beside each other: groups, their curves in one figure, and the table of their numbers."""

import csv
import io

import numpy as np
import plotly.graph_objects as go
import pytest

from lazycore.config.run import RunConfig
from lazycore.errors import ConfigError
from lazycore.figures import export, overlay, table
from lazycore.results.groups import grouped


@pytest.fixture
def three(make_run):
    return [make_run(alpha) for alpha in (0.1, 1.0, 10.0)]


@pytest.fixture
def make_seeds(make_run):
    """Return a function that makes runs which differ in their seed, and whose loss does too."""

    def make(count, alpha=1.0, **more):
        runs = []
        for seed in range(count):
            config = RunConfig(dim=2, width=8, alpha=alpha, seed=seed)
            run = make_run(alpha, config=config, until=5.0 + seed, **more)
            run.series["nonlinear.train_loss"] *= 1.0 + seed
            runs.append(run)
        return runs

    return make


def shown(figure):
    return [trace["name"] for trace in figure["data"] if trace.get("showlegend", True)]


# ── groups ───────────────────────────────────────────────────────────────────────────────
def test_a_run_is_named_by_what_it_differs_in(three):
    assert [group.label for group in grouped(three)] == ["α = 0.1", "α = 1", "α = 10"]


def test_runs_that_differ_in_seeds_only_are_one_group(make_seeds):
    runs = [*make_seeds(3, 1.0), *make_seeds(3, 10.0)]
    groups = grouped(runs)
    assert [(group.label, len(group.runs)) for group in groups] == [("α = 1", 3), ("α = 10", 3)]
    assert len(grouped(make_seeds(3), by_seed=False)) == 3
    assert [group.label for group in grouped(make_seeds(2), by_seed=False)] == [
        "seed = 0",
        "seed = 1",
    ]


def test_one_run_given_twice_is_one(three):
    assert len(grouped([three[0], three[0]])) == 1


def test_runs_of_a_users_own_module_are_named_by_their_digest(make_run):
    runs = [make_run(1.0), make_run(2.0)]
    for run in runs:
        object.__setattr__(run, "config", None)
    groups = grouped(runs)
    assert [group.label for group in groups] == [f"own module {run.digest[:8]}" for run in runs]


def test_a_group_that_is_alone_is_named_by_what_is_asked_first_with_n(make_seeds):
    (group,) = grouped(make_seeds(3, 10.0))
    assert group.name == "α = 10, width = 8, τ = 1, N = 3"


def test_a_name_says_n_and_the_verdicts_how_many_runs_have_which(make_run, make_seeds):
    runs = make_seeds(3, 100.0)
    runs[2] = make_run(1.0, config=RunConfig.from_dict(dict(runs[2].config)))
    several, alone = grouped([*runs, make_run(10.0)])
    assert several.name == "α = 100, N = 3" and several.verdicts == "2 lazy, 1 crossover"
    assert alone.name == "α = 10" and alone.verdicts == "lazy"


def test_more_than_six_are_refused_in_a_sentence(make_run):
    with pytest.raises(ConfigError, match="7 runs or groups are too many"):
        grouped([make_run(float(alpha)) for alpha in range(1, 8)])


# ── curves ───────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("log", [True, False])
def test_every_curve_is_valid_plotly_with_units_and_words(three, log):
    groups = grouped(three)
    for name, curve in overlay.CURVES.items():
        if overlay.shows(groups, curve):
            figure = overlay.figure(groups, name, log)
            go.Figure(figure)
            assert "(" in figure["layout"]["yaxis"]["title"]["text"], name
            assert "α = 10" in figure["layout"]["meta"]["alt"]
            assert max(len(trace["x"]) for trace in figure["data"]) <= 300


def test_a_curve_that_no_run_has_is_not_shown(three):
    assert not overlay.shows(grouped(three), overlay.CURVES["train_error"])


def test_colour_and_mark_say_the_run_and_the_dash_says_the_model(three):
    figure = overlay.figure(grouped(three), "train_loss")
    curves = [trace for trace in figure["data"] if trace["x"] != [None]]
    assert len(curves) == 6
    assert len({trace["line"]["color"] for trace in curves}) == 3
    assert len({trace["marker"]["symbol"].removesuffix("-open") for trace in curves}) == 3
    for trace in curves:
        assert (trace["line"]["dash"] == "solid") == ("linearised" not in trace["name"])
    assert shown(figure) == ["α = 0.1", "α = 1", "α = 10", "network", "linearisation"]


def test_curves_are_the_recorded_numbers(three):
    figure = overlay.figure(grouped(three), "displacement", log=False)
    np.testing.assert_allclose(figure["data"][0]["y"], three[0].series["nonlinear.displacement"])
    figure = overlay.figure(grouped(three), "kernel_change", log=False)
    np.testing.assert_allclose(figure["data"][2]["y"], three[2].sparse["kernel_change"])


def test_three_seeds_are_a_median_in_a_band_and_two_are_two_lines(make_seeds):
    figure = overlay.figure(grouped(make_seeds(3)), "train_loss")
    network = [t for t in figure["data"] if "linearised" not in t["name"] and t["x"] != [None]]
    assert [t.get("fill") for t in network] == ["toself", None]
    assert network[1]["name"].endswith(", N = 3")
    two = overlay.figure(grouped(make_seeds(2)), "train_loss")
    assert not [t for t in two["data"] if t.get("fill")]
    assert sum(", N = 2" in name for name in shown(two)) == 1


def test_quantiles_are_taken_at_common_times_up_to_the_shortest_run(make_seeds):
    runs = make_seeds(3)
    times, (low, median, high) = overlay.quantiles(runs, "nonlinear.train_loss", (0.1, 0.5, 0.9))
    assert times[-1] == pytest.approx(5.0)
    law = 0.5 * np.exp(-2.0 * times) + 1e-4
    np.testing.assert_allclose(median, 2.0 * law, rtol=0.05)
    np.testing.assert_allclose(low, 1.2 * law, rtol=0.05)
    np.testing.assert_allclose(high, 2.8 * law, rtol=0.05)


def test_a_run_that_ended_early_has_no_say_from_there_on(make_seeds):
    runs = make_seeds(3)
    runs[1].series["nonlinear.train_loss"][30:] = np.nan
    times, _ = overlay.quantiles(runs, "nonlinear.train_loss", (0.5,))
    assert times[-1] <= runs[1].time[29]


def test_code_of_several_runs_is_python_that_names_them(three):
    code = export.code_of_several([run.config for run in three], "gap")
    compile(code, "code", "exec")
    assert "'alpha': 0.1" in code and '"gap"' in code


# ── numbers ──────────────────────────────────────────────────────────────────────────────
def test_the_table_has_the_numbers_of_the_runs(three):
    found = table.table(grouped(three))
    rows = {row.name: [entry.value for entry in row.entries] for row in found.rows}
    expected = [run.series["gap.train_output"].max() for run in three]
    assert rows["largest_gap"] == pytest.approx(expected)
    assert "final_test_error" not in rows
    assert found.verdicts == tuple(run.verdict for run in three)


def test_groups_have_a_median_and_a_spread_from_three_on(make_seeds):
    found = table.table(grouped(make_seeds(3)), ["final_train_loss"])
    last = [run.series["nonlinear.train_loss"][-1] for run in make_seeds(3)]
    (entry,) = found.rows[0].entries
    expected = np.quantile(last, (0.5, 0.1, 0.9))
    assert (entry.value, entry.low, entry.high) == pytest.approx(tuple(expected))
    assert " to " in entry.text
    (alone,) = table.table(grouped(make_seeds(2)), ["final_train_loss"]).rows[0].entries
    assert np.isnan(alone.low) and " to " not in alone.text


def test_csv_has_every_digit_and_a_column_for_each_spread(three, make_seeds):
    text = table.csv(table.table(grouped([*three, *make_seeds(4, 30.0)])))
    rows = list(csv.DictReader(io.StringIO(text)))
    loss = next(row for row in rows if row["quantity"] == "final_train_loss")
    assert float(loss["α = 0.1"]) == three[0].series["nonlinear.train_loss"][-1]
    low, middle, high = (float(loss[f"α = 30, N = 4{end}"]) for end in (" (10 %)", "", " (90 %)"))
    assert low < middle < high
    last = [run.series["nonlinear.train_loss"][-1] for run in make_seeds(4, 30.0)]
    spread = np.mean(last), np.std(last, ddof=1), np.std(last, ddof=1) / 2.0
    found = [float(loss[f"α = 30, N = 4 ({end})"]) for end in ("mean", "sd", "standard error")]
    assert found == pytest.approx(spread)
    assert loss["unit"] == "target units²"


def test_latex_is_a_whole_booktabs_table_without_a_foreign_character(three):
    text = table.latex(table.table(grouped(three)))
    lines = text.splitlines()
    assert lines[0] == r"\begin{tabular}{lrrr}" and lines[-1] == r"\end{tabular}"
    assert {r"\toprule", r"\midrule", r"\bottomrule"} <= set(lines)
    assert all(line.count("&") == 3 for line in lines if line.endswith(r"\\"))
    assert text.isascii() and text.count("$") % 2 == 0
    assert r"$\alpha$ = 0.1" in text


def test_a_group_has_a_mean_with_its_deviation_and_standard_error(make_seeds):
    entry = table.Entry(1.0, mean=1.2345, deviation=0.1234, count=4)
    assert entry.average == "1.23 ± 0.12 (0.062)"
    assert entry.latex_average == r"$1.23$ $\pm$ $0.12$ ($0.062$)"
    (alone,) = table.table(grouped(make_seeds(1)), ["final_train_loss"]).rows[0].entries
    assert (alone.average, alone.latex_average) == ("–", "--")
    text = table.latex(table.table(grouped(make_seeds(2)), ["final_train_loss"]))
    assert text.isascii() and r"\quad mean $\pm$ sd (s.e.) & " in text


def test_a_spread_has_two_digits():
    entry = table.Entry(0.123456, 0.0123456, 1.23456e-5)
    assert entry.text == "0.123 (0.012 to 1.2e−05)"
    assert entry.latex == r"$0.123$ ($0.012$ to $1.2 \times 10^{-5}$)"


@pytest.mark.parametrize(
    ("value", "text", "latex"),
    [
        (0.123456, "0.123", "$0.123$"),
        (12345.6, "12300", "$12300$"),
        (1.2345e-5, "1.23e−05", r"$1.23 \times 10^{-5}$"),
        (0.0, "0", "$0$"),
        (-2.5, "−2.5", "$-2.5$"),
        (float("nan"), "–", "--"),
    ],
)
def test_numbers_are_rounded_to_three_digits(value, text, latex):
    assert (table.Entry(value).text, table.Entry(value).latex) == (text, latex)


def test_every_meaning_can_stand_in_latex():
    from lazycore.results.quantities import QUANTITIES

    for quantity in QUANTITIES.values():
        said = table.in_latex(quantity.words)
        assert said.isascii() and said.count("$") % 2 == 0, said
