"""A sweep as a plane: medians over seeds, marks for what did not end, further axes fixed."""

import numpy as np
import pytest
from made_up_sweep import digest_at, made_up_sweep, medians, plane

from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError
from lazycore.results.plane import Axis, axes_of
from lazycore.results.sweep import SweepResult


def test_a_cell_is_the_median_over_its_seeds():
    found = plane(made_up_sweep())
    np.testing.assert_allclose(found.grid(), medians((0.1, 1, 10, 100), (16, 64)))
    assert {cell.count for cell in found.cells()} == {3}


def test_quantiles_of_a_cell_are_those_of_numpy():
    cell = plane(made_up_sweep()).rows[1][2]
    values = [run.value for run in cell.runs]
    for share in (0.0, 0.1, 0.37, 0.5, 0.9, 1.0):
        assert cell.quantile(share) == pytest.approx(np.quantile(values, share))


def test_the_grid_is_that_of_the_table_itself():
    table = made_up_sweep()
    for x, y in (("alpha", "width"), ("width", "alpha")):
        expected = table.grid(x, y, "kernel_change")
        np.testing.assert_allclose(plane(table, "kernel_change", x, y).grid(), expected)


@pytest.mark.parametrize("status", ["diverged", "budget", "failed", "missing"])
def test_a_run_that_did_not_reach_its_end_does_not_count_and_marks_its_cell(status):
    digest = digest_at(made_up_sweep(), alpha=1.0, width=16, seed=0)
    cell = plane(made_up_sweep(**{"d" + digest: status})).rows[0][1]
    assert cell.count == 2
    assert cell.mark == (None if status == "missing" else status)
    assert cell.middle is not None and cell.middle.digest != digest


def test_a_cell_of_which_nothing_has_ended_is_missing():
    cells = list(plane(SweepResult(made_up_sweep().config)).cells())
    assert {cell.mark for cell in cells} == {"missing"}
    assert all(np.isnan(cell.median) and cell.middle is None for cell in cells)


def test_the_middle_run_is_the_one_at_the_median():
    table = made_up_sweep()
    cell = plane(table).rows[1][3]
    assert cell.middle is not None
    assert cell.middle.digest == digest_at(table, alpha=100.0, width=64, seed=1)


def test_further_axes_are_fixed_to_one_value_each():
    fields = {"task": "sine", "alpha": "1,10", "width": "8,16", "init_scale": "1,2"}
    table = made_up_sweep(fields)
    table.values[:] = np.arange(8.0)[:, None]
    np.testing.assert_array_equal(plane(table).grid(), [[0.0, 4.0], [2.0, 6.0]])
    np.testing.assert_array_equal(plane(table, init_scale=2.0).grid(), [[1.0, 5.0], [3.0, 7.0]])


def test_a_sweep_along_one_axis_is_a_plane_of_one_row():
    table = made_up_sweep({"task": "sine", "alpha": "1,10,100", "width": "16"})
    found = plane(table, y=None)
    assert found.y is None and found.grid().shape == (1, 3)


def test_values_are_in_order_and_words_as_they_were_given():
    table = made_up_sweep({"task": "sine", "alpha": "10,1", "activation": "tanh,softplus"})
    found = plane(table, y="activation")
    assert found.x.values == (1.0, 10.0)
    assert found.y is not None and found.y.values == ("tanh", "softplus")
    assert not found.y.is_number and found.y.places.tolist() == [0.0, 1.0]


def test_an_axis_is_spaced_as_its_field_is():
    assert Axis("alpha", (0.1, 10.0)).ends == pytest.approx([-2.0, 2.0])
    assert not Axis("noise", (0.1, 0.2)).log
    assert Axis("alpha_sqrt_width", (1.0, 2.0)).log
    assert Axis("width", (100,)).ends == pytest.approx([2 - np.log10(2), 2 + np.log10(2)])


def test_seeds_span_a_plane_only_where_nothing_else_varies():
    assert axes_of(["alpha", "seed"]) == ["alpha"]
    assert axes_of(["seed"]) == ["seed"]


@pytest.mark.parametrize(
    ("x", "y", "sentence"),
    [("depth", None, "is not an axis of this sweep"), ("alpha", "alpha", "choose two that differ")],
)
def test_an_axis_that_is_not_there_is_refused(x, y, sentence):
    with pytest.raises(ConfigError, match=sentence):
        plane(made_up_sweep(), x=x, y=y)


def test_each_seed_has_a_line_of_its_own():
    table = SweepResult(SweepConfig.from_text({"task": "sine", "alpha": "1,10", "seed": "0:2"}))
    table.values[:] = np.arange(4.0)[:, None]
    table._status[:] = 1
    rows = plane(table, y=None).by_seed(0)
    assert {name: row.tolist() for name, row in rows.items()} == {
        "seed 0": [0.0, 2.0],
        "seed 1": [1.0, 3.0],
    }
