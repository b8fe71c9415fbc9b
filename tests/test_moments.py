"""Which steps and times are recorded, and in what portions, against what was promised."""

from types import SimpleNamespace

import numpy as np
import pytest

from lazycore.config.moments import blocks, recorded_steps, recorded_times, spaced_times


def moment(steps, progress=0.5):
    return SimpleNamespace(steps=steps, progress=progress)


@pytest.mark.parametrize("steps", [10**5, 10**6, 10**9])
def test_recorded_steps_have_one_ratio_from_a_ten_thousandth_of_the_run_to_its_end(steps):
    found = recorded_steps(steps)
    assert found[0] == 0 and found[1] == steps // 10**4 and found[-1] == steps
    late = np.log(found[found >= 500])
    assert np.diff(late) == pytest.approx(np.full(len(late) - 1, np.log(1e4) / 199), abs=2.1e-3)
    assert 150 <= len(found) <= 201


def test_of_a_short_run_the_first_steps_are_all_recorded_and_the_last_are_far_apart():
    assert recorded_steps(1).tolist() == [0, 1]
    assert recorded_steps(12).tolist() == list(range(13))
    found = recorded_steps(3000)
    assert found[:20].tolist() == list(range(20))
    assert found[-1] - found[-2] == pytest.approx(3000 * (1.0 - 3000 ** (-1 / 199)), abs=1)


def test_recorded_times_have_one_ratio_from_a_ten_thousandth_of_the_run_to_its_end():
    found = recorded_times(7.0)
    assert found[0] == 0.0 and found[1] == pytest.approx(7e-4) and found[-1] == 7.0
    assert len(found) == 201
    assert np.diff(np.log(found[1:])) == pytest.approx(np.full(199, np.log(1e4) / 199))


def test_spaced_times_have_so_many_in_each_factor_of_ten_and_end_where_they_should():
    found = spaced_times(0.003, 30.0, 5)
    assert len(found) == 22 and found[0] == 0.0 and found[-1] == 30.0
    assert found[1] == pytest.approx(0.003)
    assert np.diff(np.log10(found[1:])) == pytest.approx(np.full(20, 0.2))
    assert spaced_times(1.0, 1.1, 5).tolist() == [0.0, 1.0, 1.1]


def test_moments_go_together_until_there_are_enough_or_they_have_waited_long():
    steps = [0, 1, 2, 3, 4, 5, 100, 101, 103, 113]
    found = blocks((moment(s) for s in steps), size=3, patience=10)
    sizes = [[m.steps for m in block] for block in found]
    assert sizes == [[0], [1, 2, 3], [4, 5, 100], [101, 103, 113]]
    found = blocks((moment(s) for s in (5, 6, 16, 17)), size=9, patience=10)
    assert [[m.steps for m in block] for block in found] == [[5, 6, 16], [17]]


def test_the_last_moment_does_not_wait():
    found = blocks(iter([moment(1), moment(2, 1.0), moment(3, 1.0)]), size=9, patience=1e9)
    assert [[m.steps for m in block] for block in found] == [[1, 2], [3]]
