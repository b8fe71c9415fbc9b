"""The benchmark of flows up to margins says what it is to say. Never how long it takes."""

import pytest
import torch

from benchmarks import feature_lazy
from benchmarks._counted import counted
from benchmarks._timing import Bar, Table
from lazycore.engine.problem.stacked import Lanes, stack
from lazycore.papers.feature_lazy.claims.exponents import setting
from lazycore.running.run import run

SMALL = {"n_train": 10, "n_test": 10, "width": 8}


@pytest.fixture(autouse=True)
def _keep_threads():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def column(table: Table, name: str) -> list:
    """Return the cells under a heading."""
    return [row[table.columns.index(name)] for row in table.rows]


def test_it_compares_gradients_at_equal_error_at_every_scale():
    found = list(feature_lazy.measure("tiny", ["evaluations"]))
    each, *equal = (said for said in found if isinstance(said, Table))
    rules = [row for row in each.rows if row[0] == "the rule"]
    counts, errors = [row[2] for row in rules], [row[5] for row in rules]
    assert counts == sorted(counts) and errors == sorted(errors, reverse=True)
    assert all(0 < beside < shown for _, _, shown, _, beside, *_ in each.rows)
    assert len(equal) == 5 == sum(isinstance(said, Bar) for said in found)
    assert all(column(table, "√h α") == ["100"] for table in equal)


def test_each_side_is_interpolated_at_the_error_of_the_other():
    flow = feature_lazy.Side((1e-2, 1e-4), (100, 200), (150, 300))
    rule = feature_lazy.Side((1e-1, 1e-3, 1e-5), (30, 300, 3000), (60, 600, 6000))
    found = feature_lazy._over_all([("1", flow, rule)], (0.1, 0.01), (1e-1, 1e-3, 1e-4))
    tables = {said.title: said.rows[0] for said in found if isinstance(said, Table)}
    middle = 300 / 10**0.5
    assert tables["gradients at the error of flow at tolerance 0.1"] == (
        *("1", 1e-2, 100, pytest.approx(middle)),
        *(pytest.approx(middle / 100), pytest.approx(2 * middle / 150)),
    )
    at_theirs = tables["gradients at the error of the rule at ε_∇ 0.001"]
    assert at_theirs[2:4] == (pytest.approx(20000**0.5), 300)
    assert torch.tensor(tables["gradients at the error of the rule at ε_∇ 0.0001"][4]).isnan()


def test_the_figure_says_how_many_runs_met_their_margins_and_where_the_time_goes():
    said, table = feature_lazy.measure("tiny", ["star"])
    assert "2 runs" in str(said) and "2 to their margins" in str(said)
    assert isinstance(table, Table) and column(table, "h") == ["25"]
    assert all(count > 0 for name in ("gradients", "beside") for count in column(table, name))


@pytest.mark.parametrize(
    "rule",
    [{"dynamics": "flow"}, {"dynamics": "adaptive_euler", "tolerance": None}],
    ids=lambda fields: fields["dynamics"],
)
def test_every_gradient_of_the_network_is_counted_once(monkeypatch, rule):
    plain, rows = Lanes.gradient, []
    monkeypatch.setattr(Lanes, "gradient", lambda lanes, v: rows.append(len(v)) or plain(lanes, v))
    with counted() as counts:
        run(setting(1.0, **SMALL, **rule), device="cpu")
    assert counts.shown + counts.beside == sum(rows)
    assert len(counts.of_paths) == 2 and Lanes.gradient is not plain


def test_rows_keep_their_place_however_they_are_selected():
    from lazycore.engine.problem.problem import build_problem

    values = setting(1.0, **SMALL).resolve().to_dict()
    problem = build_problem(values, torch.device("cpu"))
    with counted() as counts:
        twice = stack([problem]).select(torch.tensor([0, 0]))
        second = twice.select(torch.tensor([1])).select(slice(0, 1))
        v = torch.zeros_like(problem.w0)
        twice.gradient(v.expand(2, -1))
        second.gradient(v[None])
    assert counts.gradients == {(0, 0): 1, (0, 1): 2}
