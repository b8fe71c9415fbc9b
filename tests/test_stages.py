"""Where the stages of iterative linearisation begin and end, counted another way."""

import numpy as np
import pytest

from lazycore.config import refreshing
from lazycore.errors import ConfigError


def test_uniform_stages_are_of_k_steps_and_the_last_is_cut_short():
    assert list(refreshing.stages(10, 4, "uniform")) == [(0, 4), (4, 8), (8, 10)]
    assert list(refreshing.stages(8, 4, "uniform")) == [(0, 4), (4, 8)]
    assert list(refreshing.stages(3, 9, "uniform")) == [(0, 3)]


def test_front_loaded_stages_end_at_the_squares():
    """T (j/N)²: with T = N² · 10 the ends are ten times the squares."""
    ends = [end for _, end in refreshing.stages(1000, 100, "front_loaded")]
    assert ends == [10 * j * j for j in range(1, 11)]
    ends = [end for _, end in refreshing.stages(700, 100, "front_loaded")]
    assert ends == [round(700 * j * j / 49) for j in range(1, 8)]


def test_front_loaded_stages_grow_by_equal_increments():
    lengths = np.diff([0, *(end for _, end in refreshing.stages(40_000, 400, "front_loaded"))])
    assert np.diff(lengths) == pytest.approx(np.full(99, 2 * 40_000 / 100**2))
    assert lengths[0] == 4 and lengths[-1] == 4 * 199


def test_a_front_loaded_stage_has_a_step_even_where_the_squares_have_none():
    ends = [end for _, end in refreshing.stages(12, 2, "front_loaded")]
    assert ends == [1, 2, 3, 5, 8, 12]
    assert [end for _, end in refreshing.stages(5, 1, "front_loaded")] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("steps", "every", "count"), [(10, 1, 10), (10, 3, 4), (9, 3, 3), (10, 10, 1), (10, 99, 1)]
)
def test_features_are_taken_once_a_stage_begun(steps, every, count):
    assert refreshing.updates(steps, every) == count
    for schedule in ("uniform", "front_loaded"):
        assert len(list(refreshing.stages(steps, every, schedule))) == count


def test_the_network_is_read_at_the_end_of_whole_stages_that_are_not_the_only_one():
    assert refreshing.ends_refreshed(9, 3, "uniform")
    assert not refreshing.ends_refreshed(10, 3, "uniform")
    assert refreshing.ends_refreshed(10, 3, "front_loaded")
    assert not refreshing.ends_refreshed(10, 10, "uniform")
    assert not refreshing.ends_refreshed(10, 12, "front_loaded")


def test_up_to_forty_stages_are_all_noted_and_more_of_them_by_equal_ratios():
    assert list(refreshing.noted(40)) == list(range(40))
    assert [number for number, whole in refreshing.noted(40).items() if whole] == [0, 13, 26, 39]
    assert refreshing.noted(1) == {0: True}
    numbers = np.array(list(refreshing.noted(10**6))) + 1.0
    late = numbers[numbers > 300]
    assert np.diff(np.log(late)) == pytest.approx(
        np.full(len(late) - 1, np.log(1e6) / 38), abs=4e-3
    )
    assert numbers[-1] == 10**6 and numbers[0] == 1.0
    assert sum(refreshing.noted(10**6).values()) == 4


def test_features_are_not_refreshed_in_a_run_that_stops_at_its_margins():
    with pytest.raises(ConfigError, match="stop=margins is not allowed with refresh_every=5"):
        refreshing.check({"refresh_every": 5, "stop": "margins"})
    for fits in ({"refresh_every": None, "stop": "margins"}, {"refresh_every": 5, "stop": "none"}):
        refreshing.check(fits)
