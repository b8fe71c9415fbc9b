"""The time left: from the pace of a run, within a factor of two, or not told."""

import pytest
from paces import RUNS

from lazycore.config.run import RunConfig
from lazycore.running.run import train
from lazycore.running.timeleft import EARLIEST, EVEN, LEAST_LEFT, time_left
from lazycore.service import job


@pytest.mark.parametrize("k", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("built", [0.0, 7.0])
def test_the_time_left_is_that_of_a_run_whose_share_is_a_power_of_time(k, built):
    passed = [(built + float(t), (t / 100.0) ** k) for t in range(81)]
    assert time_left(passed) == pytest.approx(20.0)
    assert time_left(passed[:51]) == pytest.approx(50.0)


def test_no_time_left_is_told_in_the_first_seconds_nor_in_the_last():
    passed = [(t / 10.0, t / 1000.0) for t in range(1001)]
    said = [time_left(passed[: n + 1]) for n in range(1001)]
    told = [seconds for (seconds, _), left in zip(passed, said, strict=True) if left is not None]
    assert told[0] == EARLIEST and told[-1] == pytest.approx(100.0 - LEAST_LEFT, abs=0.11)


def test_no_time_left_is_told_of_what_has_hardly_begun_or_stands_still():
    assert time_left([]) is None
    assert time_left([(0.0, 0.0)]) is None
    assert time_left([(float(t), t * 1e-4) for t in range(40)]) is None
    assert time_left([(0.0, 0.0), (9.0, 0.5)]) is None, "one step is no pace"
    assert time_left([(float(t), 0.5) for t in range(10)]) is None
    assert time_left([(0.0, 0.0)] * 10) is None


def test_no_time_left_is_told_where_powers_that_fit_disagree():
    # The pace changes on the way: what it is a power of is not known.
    passed = [(6.0, 0.01), (6.5, 0.02), (9.0, 0.04), (9.2, 0.08), (13.0, 0.16)]
    assert time_left(passed) is None
    assert time_left(passed, EVEN) is not None


def told(passed):
    """Return (seconds, time left by the pace, time that it took) wherever a time left is told."""
    said = [(seconds, time_left(passed[: n + 1])) for n, (seconds, _) in enumerate(passed)]
    return [(at, left, passed[-1][0] - at) for at, left in said if left is not None]


@pytest.mark.parametrize("name", RUNS)
def test_what_is_told_of_a_real_run_is_right_within_a_factor_of_two(name):
    for number, (seconds, left, took) in enumerate(told(RUNS[name])):
        assert seconds >= EARLIEST and left / took < 2.0, (seconds, left, took)
        assert left / took > (0.5 if number == 0 else 0.45), (seconds, left, took)


def test_of_some_real_runs_a_time_left_is_told():
    assert sum(bool(told(passed)) for passed in RUNS.values()) >= 5


def test_the_time_left_goes_on_counting_down_between_two_reports(monkeypatch):
    monkeypatch.setattr("lazycore.service.job.time.time", lambda: 1000.0)
    assert job._left({"eta_seconds": 30.0, "eta_at": 988.0}) == pytest.approx(18.0)
    assert job._left({"eta_seconds": 30.0}) == 30.0
    assert job._left({"eta_seconds": 30.0, "eta_at": 960.0}) is None, "it is overdue"
    assert job._left({}) is None


def test_of_what_was_measured_together_the_last_alone_says_that_no_more_is_there():
    config = RunConfig(dynamics="gd", steps=20, width=4, n_train=4, n_test=0)
    more = [snapshot.more for snapshot in train(config)]
    assert more[-1] is False and any(more) and not all(more)
