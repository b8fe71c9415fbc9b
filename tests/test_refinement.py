"""Two answers of one flow: soon and in full length, then as closely as was asked for."""

import json
from dataclasses import replace
from multiprocessing import Pipe
from threading import Thread
from typing import Any

import numpy as np
import pytest

from lazycore import run, train
from lazycore.config.run import RunConfig
from lazycore.results.run import RunResult
from lazycore.running.refinement import LOOSE, RECORDS, SHARE, first_answer
from lazycore.service.workers import child
from lazycore.service.workers.child import FirstAnswer, training
from pages.widgets.summary import is_first

SMALL: dict[str, Any] = {
    "task": "teacher",
    "n_train": 12,
    "n_test": 6,
    "dim": 4,
    "width": 16,
    "activation": "tanh",
}
GAP = "gap.train_output"


def answers(config: RunConfig) -> tuple[RunResult, RunResult]:
    """Return both answers, each as whoever stops there has it."""
    snapshots = list(train(config, refine=True))
    first = [snapshot for snapshot in snapshots if snapshot.first]
    return tuple(RunResult.collect(config, part) for part in (first, snapshots))


@pytest.mark.parametrize("fields", [{"activation": "relu"}, {"alpha": 0.1}, {"alpha": 100.0}])
def test_the_first_answer_is_within_its_error_and_the_second_is_the_run(fields):
    config = RunConfig(**SMALL | fields)
    first, second = answers(config)
    alone = run(config)
    assert np.array_equal(second.time, alone.time) and "first_tolerance" not in second.latest
    for name, values in alone.series.items():
        assert np.array_equal(second.series[name], values, equal_nan=True), name
    assert len(first.time) == RECORDS + 1 and first.latest["first_tolerance"] == LOOSE
    assert first.time[[0, -1]] == pytest.approx(alone.time[[0, -1]], rel=1e-12)
    assert first.numerical_error >= alone.numerical_error
    # What is drawn of the first is where the second one is, within the floor that it draws.
    there = np.interp(first.time[1:], alone.time[1:], alone.series[GAP][1:])
    assert np.abs(first.series[GAP][1:] - there).max() <= first.numerical_error


def test_a_partial_run_is_its_first_answer_until_the_second_is_whole():
    config = RunConfig(**SMALL)
    snapshots = list(train(config, refine=True))
    progress = [snapshot.progress for snapshot in snapshots]
    assert progress == sorted(progress) and progress[-1] == 1.0
    assert SHARE in progress
    short = RunResult.collect(config, snapshots[:-1], status="cancelled")
    assert short.status == "cancelled" and len(short.time) == RECORDS + 1
    assert short.time[-1] == run(config).time[-1]
    begun = RunResult.collect(config, snapshots[:9], status="cancelled")
    assert len(begun.time) == 9
    whole = RunResult.collect(config, snapshots, status="cancelled")
    assert "first_tolerance" not in whole.latest and len(whole.time) > RECORDS + 1


@pytest.mark.parametrize(
    "fields", [{"dynamics": "gd", "steps": 5}, {"tolerance": 0.05}, {"tolerance": 0.1}]
)
def test_what_is_as_quick_without_has_one_answer(fields):
    config = RunConfig(**SMALL | fields)
    assert first_answer(config.resolve().to_dict()) is None
    assert not any(snapshot.first for snapshot in train(config, refine=True))


def test_a_run_that_stops_at_its_margins_has_two_answers():
    fields = SMALL | {"n_train": 6, "n_test": 6, "width": 6, "activation": "softplus"}
    config = RunConfig(**fields, loss="soft_hinge", stop="margins", alpha=100.0, seed=3)
    first, second = answers(config)
    assert first.status == second.status == "done"
    times = [float(one.latest["nonlinear.stop_time"]) for one in (first, second)]
    assert times[0] == pytest.approx(times[1], rel=0.05)


def test_a_first_answer_leaves_the_kernels_over_time_to_the_second():
    config = RunConfig(**SMALL, extra={"keep": "kernels"})
    first, second = answers(config)
    assert "kernel.gram" in second.sparse and "kernel.gram" not in first.sparse


def test_whoever_does_not_ask_has_one_answer():
    assert not any(snapshot.first for snapshot in train(RunConfig(**SMALL)))


def test_the_worker_sends_the_first_answer_as_soon_as_it_is_whole():
    config = RunConfig(**SMALL)
    sent = list(training(config.resolve().to_dict(), "cpu"))
    (answer,) = (item for item in sent if isinstance(item, FirstAnswer))
    shares = [item.progress if isinstance(item, FirstAnswer) else item[0] for item in sent]
    assert shares == sorted(shares) and answer.progress == SHARE
    result = RunResult.from_bytes(answer.data)
    assert result.digest == config.digest and len(result.time) == RECORDS + 1


def test_a_first_answer_is_sent_once_and_then_only_how_far_the_second_is(monkeypatch):
    monkeypatch.setattr(child, "PROGRESS_SECONDS", 0.0)
    config = RunConfig(**SMALL)
    ours, theirs = Pipe(duplex=False)
    fields = config.resolve().to_dict()
    sender = Thread(target=child._compute, args=(theirs, training, fields, "cpu"))
    sender.start()
    frames = []
    while not frames or frames[-1][0]["kind"] == "progress":
        head, _, payload = ours.recv_bytes().partition(b"\n")
        frames.append((json.loads(head), payload))
    sender.join()
    full = [number for number, (_, payload) in enumerate(frames) if payload]
    after = [head["progress"] for head, payload in frames[:-1] if not payload]
    assert after and min(after) >= SHARE and full[-1] == len(frames) - 1
    answer = RunResult.from_bytes(frames[full[-2]][1])
    assert len(answer.time) == RECORDS + 1 and answer.latest["first_tolerance"] == LOOSE
    assert RunResult.from_bytes(frames[-1][1]).status == "done"


def test_a_first_answer_that_was_cancelled_does_not_say_that_more_follows():
    first, _ = answers(RunConfig(**SMALL))
    assert is_first(replace(first, status="running"))
    assert not is_first(replace(first, status="cancelled")) and not is_first(first)
