"""Every benchmark runs at a tiny size and says what it is to say. Never how long it takes."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import (
    _timing,
    figure_1c,
    gpu,
    gradient_flow,
    lanes,
    phase_diagram,
    refresh,
    scaling,
)
from benchmarks._plain import Run
from benchmarks._timing import Bar, Table, at_level, exponent, say, take_turns

ROOT = Path(__file__).resolve().parent.parent


def tables(found) -> dict[str, Table]:
    """Return the tables among what a benchmark says, by their titles."""
    return {said.title: said for said in found if isinstance(said, Table)}


def column(table: Table, name: str) -> list:
    """Return the cells under a heading."""
    return [row[table.columns.index(name)] for row in table.rows]


@pytest.fixture(autouse=True)
def _keep_threads():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


# ── each benchmark ───────────────────────────────────────────────────────────────────────
def test_lanes_agree_with_the_plain_loop_and_compare_both_ways():
    found = list(lanes.measure("tiny"))
    bars = {said.what: said for said in found if isinstance(said, Bar)}
    assert bars["difference of w − w0 to the plain loop"].is_met
    assert bars["error of float32 at α = 1e5"].is_met
    steps, runs = (t for t in tables(found).values() if "ratio" in t.columns and "64" in t.title)
    assert column(steps, "runs") == [4] and all(r > 0 for r in column(steps, "ratio"))
    assert column(runs, "theirs ran") == ["50%"] and all(r > 0 for r in column(runs, "ratio"))


def test_the_plain_loop_steps_down_both_models_and_records_their_losses():
    rng = np.random.default_rng(0)
    shapes = {"x": (9, 3), "x_test": (4, 3), "y": (9, 1), "y_test": (4, 1), "hidden": (5, 3)}
    data = {k: torch.from_numpy(rng.standard_normal((1, *s))) for k, s in shapes.items()}
    data["output"] = torch.from_numpy(rng.standard_normal((1, 1, 5)))
    curves = Run(data, 0, 1e4, 0.01).both(5, frozenset([1, 3, 5]))
    losses = np.array(curves)
    assert losses.shape == (3, 4) and np.all(np.diff(losses[:, :2], axis=0) < 0)
    assert np.allclose(losses[:, 0], losses[:, 1], rtol=1e-3), "at α = 10⁴ they are one"


def test_gradient_flow_counts_gradients_at_equal_error():
    found = list(gradient_flow.measure("tiny"))
    titles = tables(found)
    (work,) = (t for name, t in titles.items() if name.startswith("tanh") and "authors" in name)
    methods = set(column(work, "method"))
    assert methods == {*gradient_flow.METHODS, "feature_lazy's rule", "Euler"}
    rows = [row for row in work.rows if row[0] == "Dormand–Prince"]  # the one taken
    counts, errors = [row[2] for row in rows], [row[3] for row in rows]
    assert counts == sorted(counts) and errors == sorted(errors, reverse=True)
    assert [row[2] for row in work.rows if row[0] == "Euler"] == [10]
    notes = {name: table.note for name, table in titles.items() if "STIFF is" in table.note}
    assert {name.split(",")[0] for name in notes} == {"tanh", "ReLU"}


def test_figure_1c_shows_ours_the_published_curve_and_descent(tmp_path):
    path = tmp_path / "figures.json"
    curve = [[0.1, 1.0], [10.0, 3.0]]
    path.write_text(json.dumps({"fig1c_end": curve, "fig1c_best": curve}))
    found = list(figure_1c.measure("tiny", str(path), gd_taus=(1.0,), gd_seeds=1))
    ours, descent = (t for name, t in tables(found).items() if "product" not in t.columns[0])
    assert column(ours, "τ") == ["1", "3"] and column(ours, "done") == [2, 2]
    assert column(ours, "end publ.")[0] == pytest.approx(2.0)
    assert column(descent, "") == ["end", "best"]
    assert len(figure_1c.Figure().taus) == 33
    assert figure_1c.Figure().taus[-1] == 10.0


def test_figure_1c_needs_no_published_curve():
    found = figure_1c.measure("tiny", "nowhere.json")
    (ours,) = (t for name, t in tables(found).items() if name.startswith("test loss"))
    assert "--figures" in ours.note


def test_phase_diagram_says_when_cells_come_and_where_the_time_goes():
    found = list(phase_diagram.measure("tiny", tolerance=0.1, profile=True))
    titles = tables(found)
    assert sum(column(titles["cells by width, as they were filled"], "cells")) == 4
    assert column(titles["cells that came, by seconds"], "in all")[-1] == 4
    (profile,) = (t for name, t in titles.items() if "profiler" in name)
    *parts, whole = profile.rows
    assert [part[0] for part in parts] == [*phase_diagram.PARTS, "the rest"]
    assert sum(part[1] for part in parts) == pytest.approx(whole[1])
    known = {part[0]: part[1] for part in parts}
    assert all(spent > 0.0 for spent in known.values()), known
    assert phase_diagram.diagram("full", "float64", 1e-3).shape == (13, 6, 5)


def test_the_gpu_benchmark_says_so_where_there_is_none(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (said,) = gpu.measure("tiny")
    assert "no GPU" in str(said)


def test_the_gpu_benchmark_compares_devices():
    found = list(gpu.measure("tiny", device="cpu"))
    assert all(said.is_met for said in found if isinstance(said, Bar))
    (steps,) = (t for name, t in tables(found).items() if name.startswith("one step"))
    assert column(steps, "lanes") == [1, 2, 1, 2]
    assert {"GF/s", "ratio", "of its rate"} <= set(steps.columns)


def test_scaling_ends_each_table_with_its_exponents_and_writes_a_document():
    found = list(scaling.measure("tiny"))
    measured = [t for t in tables(found).values() if t.rows[-1][0] == "exponent"]
    assert len(measured) == 5
    text = scaling.document(found, dim=4)
    assert text.startswith("# How times grow") and text.count("| exponent |") == 5


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("[a-z]*.py")))
def test_every_benchmark_can_be_run_as_a_file_of_its_own(path):
    text = path.read_text()
    assert 'if __name__ == "__main__":' in text and "def main(" in text


# ── what they share ──────────────────────────────────────────────────────────────────────
def test_sides_take_turns_and_the_order_turns_too():
    order = []
    sides = {name: partial(lambda n: order.append(n) or 1.0, name) for name in "ab"}
    assert take_turns(sides, 2) == {"a": [1.0, 1.0], "b": [1.0, 1.0]}
    assert order == ["a", "b", "b", "a"]


def test_the_ratio_is_the_median_of_the_rounds():
    assert _timing.ratio([2.0, 9.0, 4.0], [1.0, 3.0, 1.0]) == 3.0


def test_the_exponent_of_a_power_is_found():
    slope, error = exponent([1.0, 2.0, 4.0, 8.0], [3.0, 12.0, 48.0, 192.0])
    assert slope == pytest.approx(2.0) and error < 1e-9


def test_the_count_at_a_level_is_interpolated_in_logarithms():
    assert at_level([1.0, 0.01], [10.0, 1000.0], 0.1) == pytest.approx(100.0)
    assert at_level([0.01, 0.001], [10.0, 100.0], 0.1) == pytest.approx(10.0)
    assert np.isnan(at_level([1.0, 0.5], [10.0, 100.0], 0.1))


def test_a_missed_bar_is_said_and_fails_only_the_check(capsys):
    missed = say([Bar("ratio", 2.0, 3.0), Bar("error", 1e-9, 1e-6, at_most=True)])
    assert [bar.what for bar in missed] == ["ratio"]
    assert "MISSED" in capsys.readouterr().out
    assert _timing.conclude(missed, check=False) == 0
    assert _timing.conclude(missed, check=True) == 1
    assert not Bar("nothing found", float("nan"), 3.0).is_met
    assert not Bar("nothing found", float("nan"), 3.0, at_most=True).is_met


def test_a_table_is_text_and_markdown():
    table = Table("title", ("a", "b"), [("x", 1234), ("y", 0.5)], note="why")
    assert table.text().splitlines() == [
        "  title",
        "    a      b",
        "    x  1,234",
        "    y    0.5",
    ] + ["    (why)"]
    assert "| x | 1,234 |" in table.markdown() and table.markdown().endswith("Why.")


def test_stages_are_compared_with_steps_and_with_longer_ones(capsys):
    assert refresh.long_against_short(1, 1000) > 0.0
    assert refresh.steps_against_stage(1, 20) > 0.0
    difference = capsys.readouterr().out.split("difference of the weights ")[1].split()[0]
    assert float(difference) < 1e-8
