"""Sweeps through the queue: cells as they come, nothing computed twice, runs not kept waiting."""

import contextlib
import json
import os
import signal
import sqlite3

import psutil
import pytest
import standin
import sweep_standin
from standin import DEADLINE, until

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.errors import (
    BudgetError,
    ConfigError,
    CorruptResult,
    LazyLabError,
    ResultNotFound,
    StoreFull,
)
from lazycore.results.store import ResultStore
from lazycore.results.sweep import SweepResult
from lazycore.service.job import ENDED
from lazycore.service.workers import devices, worker
from lazycore.service.workers.child import CellDone
from lazycore.service.workers.children import Ended, Limits
from lazycore.service.workers.sweepwork import compute

SWEEP = sweep_standin.sweep()
OTHER = sweep_standin.sweep(alpha="2,3,4")
DIGESTS = [cell.digest for cell in SWEEP.cells]
QUICK = standin.config(standin.QUICK)
HOLD = {"LAZYLAB_TEST_HOLD": "3"}


def held(queue, **environment):
    """Return a worker that stands still with three cells of the sweep in the store, and the
    sweep's digest."""
    process = sweep_standin.start_worker(queue.root, **HOLD | environment)
    digest = queue.submit(SWEEP)
    until(lambda: has_ended(queue, digest) or len(stored(queue)) == 3, "three cells")
    assert not has_ended(queue, digest), queue.get(digest).message
    return process, digest


def has_ended(queue, digest):
    return queue.get(digest).state in ENDED


def stored(queue):
    return [digest for digest in DIGESTS if digest in queue.store]


def computed(queue):
    return sorted(digest for digest, _ in sweep_standin.traced(queue.root))


# ── in a real worker ─────────────────────────────────────────────────────────────────────
def test_a_sweep_is_a_job_whose_cells_are_runs_in_the_store(queue):
    process = sweep_standin.start_worker(queue.root)
    digest = queue.submit(SWEEP)
    job = queue.wait(digest, DEADLINE)
    assert (job.state, job.kind, job.progress, job.message) == ("done", "sweep", 1.0, None)
    assert SweepConfig.from_dict(job.config).digest == digest == SWEEP.digest
    table = queue.store.get_sweep(digest)
    assert table.done == table.total == 6
    for cell in SWEEP.cells:
        run = queue.store.get(cell.digest)
        assert run.config == cell.config.resolve().to_dict()
        assert (run.status, run.verdict) == (table.status(cell.digest), table.verdict(cell.digest))
    assert sorted(queue.store.digests()) == sorted(DIGESTS)
    with pytest.raises(ResultNotFound):
        queue.store.get_partial_sweep(digest)
    assert queue.submit(SWEEP) == digest and queue.get(digest).state == "done"
    assert queue.get(DIGESTS[0]).kind == "run"
    queue.delete(digest)
    assert queue.get(digest) is None and len(stored(queue)) == 6
    standin.stop_worker(process, queue.root)


def test_the_cells_that_have_come_are_there_while_the_others_are_computed(queue):
    process, digest = held(queue)
    until(lambda: (table := partial(queue, digest)) and table.done == 3, "their table")
    until(lambda: queue.get(digest).progress == 0.5, "progress")
    assert queue.get(digest).state == "running"
    sweep_standin.go(queue.root)
    assert queue.wait(digest, DEADLINE).state == "done"
    standin.stop_worker(process, queue.root)


def partial(queue, digest):
    with contextlib.suppress(ResultNotFound):
        return queue.store.get_partial_sweep(digest)


def test_a_sweep_does_not_compute_what_the_store_has(queue):
    for cell in SWEEP.cells[:4]:
        queue.store.put(cell.digest, sweep_standin.result(cell.config).to_bytes())
    process = sweep_standin.start_worker(queue.root)
    assert queue.wait(queue.submit(SWEEP), DEADLINE).state == "done"
    assert computed(queue) == sorted(DIGESTS[4:])
    standin.stop_worker(process, queue.root)


def test_kill_9_of_the_worker_in_mid_sweep_loses_no_cell_and_computes_none_twice(queue):
    process, digest = held(queue)
    standin.kill(process)
    standin.assert_no_process_is_left(queue.root)
    sweep_standin.go(queue.root)
    process = sweep_standin.start_worker(queue.root)
    assert queue.wait(digest, DEADLINE).state == "done"
    assert computed(queue) == sorted(DIGESTS)
    assert queue.store.get_sweep(digest).done == 6 and len(queue.list()) == 1
    standin.stop_worker(process, queue.root)


@pytest.mark.slow
def test_a_sweep_whose_worker_is_killed_at_each_cell_comes_to_its_end(queue):
    supervisor = sweep_standin.start_worker(
        queue.root, "--threads", "1", engine="sweep_standin:killing"
    )
    digest = queue.submit(SWEEP)  # of six cells, twice as many as it may be killed without one
    assert queue.wait(digest, DEADLINE).state == "done", queue.get(digest).message
    assert set(computed(queue)) == set(DIGESTS)
    assert len({pid for _, pid in sweep_standin.traced(queue.root)}) >= 6
    standin.stop_worker(supervisor, queue.root)


def test_kill_9_of_the_child_in_mid_sweep_loses_no_cell_and_the_next_child_goes_on(queue):
    process, digest = held(queue)
    first = sweep_standin.traced(queue.root)[-1][1]
    sweep_standin.go(queue.root)
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int(first)).kill()
    assert queue.wait(digest, DEADLINE).state == "done"
    assert queue.store.get_sweep(digest).done == 6
    assert set(computed(queue)) == set(DIGESTS)
    standin.stop_worker(process, queue.root)


def test_a_run_that_is_submitted_during_a_sweep_does_not_wait_for_it(queue):
    process, digest = held(queue)
    waiting = queue.submit(OTHER)
    assert queue.get(waiting).position == 0
    assert queue.wait(queue.submit(QUICK), DEADLINE).state == "done"
    assert queue.get(digest).state == "running" and queue.get(waiting).state == "queued"
    assert [job.kind for job in queue.list()] == ["run", "sweep", "sweep"]
    sweep_standin.go(queue.root)
    assert queue.wait(waiting, DEADLINE).state == "done"
    standin.stop_worker(process, queue.root)


def test_a_cancelled_sweep_keeps_its_cells_and_goes_on_when_it_is_submitted_again(queue):
    process, digest = held(queue)
    queue.cancel(digest)
    until(lambda: queue.workers()[0].busy_with is None, "the end")
    assert "computed is kept" in queue.get(digest).message
    assert queue.get(digest).state == "cancelled" and len(stored(queue)) == 3
    assert queue.store.get_partial_sweep(digest).done == 3
    sweep_standin.go(queue.root)
    assert queue.retry(digest) == digest
    assert queue.wait(digest, DEADLINE).state == "done"
    assert computed(queue) == sorted(DIGESTS)
    standin.stop_worker(process, queue.root)


def test_a_deleted_sweep_is_forgotten_and_its_cells_are_not(queue):
    process, digest = held(queue)
    queue.delete(digest)
    until(lambda: queue.workers()[0].busy_with is None, "the end")
    assert queue.get(digest) is None and partial(queue, digest) is None
    assert len(stored(queue)) == 3
    standin.stop_worker(process, queue.root)


@pytest.mark.parametrize("arguments", [("--device", "cpu"), ("--threads", "1")])
def test_a_worker_told_to_end_gives_its_sweep_back(queue, arguments):
    process = sweep_standin.start_worker(queue.root, *arguments, **HOLD)
    digest = queue.submit(SWEEP)
    until(lambda: len(stored(queue)) == 3, "three cells")
    process.send_signal(signal.SIGTERM)
    process.wait(DEADLINE)
    process.stdin.close()
    standin.assert_no_process_is_left(queue.root)
    assert queue.get(digest).state == "queued" and queue.get(digest).position == 0
    sweep_standin.go(queue.root)
    process = sweep_standin.start_worker(queue.root)
    assert queue.wait(digest, DEADLINE).state == "done"
    assert computed(queue) == sorted(DIGESTS)
    standin.stop_worker(process, queue.root)


def test_a_diverging_cell_is_a_row_that_says_so(queue):
    config = sweep_standin.sweep(step_size="0.01,1e4", steps="50")
    process = sweep_standin.start_worker(queue.root)
    assert queue.wait(queue.submit(config), DEADLINE).state == "done"
    table = queue.store.get_sweep(config.digest)
    assert table.frame["status"].tolist() == ["done", "diverged"]
    assert queue.store.get(config.cells[1].digest).status == "diverged"
    standin.stop_worker(process, queue.root)


# ── the queue alone ──────────────────────────────────────────────────────────────────────
def test_a_sweep_waits_as_what_it_is(queue):
    digest = queue.submit(SWEEP)
    assert queue.submit(SWEEP) == digest and len(queue.list()) == 1
    job = queue.get(digest)
    assert (job.state, job.kind, job.position) == ("queued", "sweep", 0)
    assert queue.get(queue.submit(QUICK)).position == 0, (
        "runs and sweeps wait in lines of their own"
    )
    assert queue.get(queue.submit(OTHER)).position == 1
    queue.cancel(digest)
    assert queue.get(digest).state == "cancelled" and queue.get(OTHER.digest).position == 0


def test_a_stored_sweep_is_done_without_a_row(queue):
    queue.store.put_sweep(SWEEP.digest, SweepResult(SWEEP).to_bytes())
    assert queue.submit(SWEEP) == SWEEP.digest and queue.list() == []
    job = queue.get(SWEEP.digest)
    assert (job.state, job.kind) == ("done", "sweep")
    assert SweepConfig.from_dict(job.config) == SWEEP


def test_a_sweep_over_budget_is_refused_before_it_is_queued(queue):
    with pytest.raises(BudgetError, match="cells would take"):
        queue.submit(sweep_standin.sweep(init_seed="0:40", steps="7500000"))
    assert queue.list() == []


@pytest.mark.parametrize(
    "change, said",
    [
        ({"axes": {"alpha": [1, 2]}}, "config of another run"),
        ({"axes": {}}, "a sweep needs a field"),
        ({"axes": {"alhpa": [1, 2]}}, "no field 'alhpa'"),
        ({"base": 3}, "objects of fields"),
        ({"more": 3}, "two parts"),
    ],
)
def test_a_row_of_a_sweep_that_was_changed_is_refused(change, said):
    with pytest.raises(ConfigError, match=said):
        worker.check(SWEEP.digest, SWEEP.to_dict() | change)


def test_a_row_over_budget_is_refused_by_the_worker_too():
    big = sweep_standin.sweep(init_seed="0:40", steps="7500000")
    with pytest.raises(BudgetError):
        worker.check(big.digest, big.to_dict())


def test_a_table_whose_job_is_done_and_that_had_to_make_room_is_said_so(queue):
    process = sweep_standin.start_worker(queue.root)
    digest = queue.submit(OTHER)
    assert queue.wait(digest, DEADLINE).state == "done"
    until(lambda: not queue.running(), "the end of the job that has its table")
    queue.store.delete(digest)
    assert "make room" in queue.get(digest).message
    standin.stop_worker(process, queue.root)


# ── the worker's part, with children that do what a test says ────────────────────────────
LIMITS = Limits(seconds=60, bytes=2**31)


class Scripted:
    """Children of which the first attempt does the first act, the next one the second, …"""

    def __init__(self, *acts):
        self.acts = list(acts)
        self.asked = []

    def run(self, fields, limits, is_wanted, on_progress, on_cell):
        self.asked.append(fields["wanted"])
        cells = [SWEEP.cells[place] for place in fields["wanted"]]
        return self.acts.pop(0)(cells, on_cell)


def hand_over(count, why, message=None):
    """Return an act that hands over so many cells and ends like this."""

    def act(cells, on_cell):
        for cell in cells[:count]:
            on_cell(CellDone(cell.digest, sweep_standin.result(cell.config).to_bytes()))
        return Ended(why, None, message)

    return act


@pytest.fixture
def store(tmp_path):
    store = ResultStore(tmp_path)
    yield store
    store.close()


def attempt(store, *acts, is_wanted=lambda: True):
    """Return how a sweep ended whose children do this, the places asked for, and the shares."""
    children, shares = Scripted(*acts), []
    ended = compute(store, children, LIMITS, SWEEP, is_wanted, shares.append)
    return ended, children.asked, shares


def test_each_child_that_dies_is_followed_by_one_that_does_the_rest(store):
    ended, asked, _ = attempt(
        store, hand_over(2, "died"), hand_over(1, "died"), hand_over(3, "result")
    )
    assert asked == [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5], [3, 4, 5]]
    assert ended.why == "result" and SweepResult.from_bytes(ended.data).done == 6


def test_each_attempt_that_brings_a_cell_says_so_before_it_keeps_the_first(store):
    said = []

    def advance():
        said.append(len(store.digests()))

    for count in (2, 0, 4):
        acts = Scripted(hand_over(count, "result" if count == 4 else "cancelled"))
        compute(store, acts, LIMITS, SWEEP, lambda: True, lambda share: None, advance)
    assert said == [0, 2]


def test_the_cells_of_a_sweep_on_its_way_make_room_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("lazycore.service.workers.sweepwork.KEEP_SECONDS", 0.0)
    monkeypatch.setattr("lazycore.results.eviction.AGAIN_SECONDS", 0.0)
    small, more = ResultStore(tmp_path, size_limit=1_000_000), os.urandom(200_000)

    def fill(cells, on_cell):
        on_cell(CellDone(cells[0].digest, sweep_standin.result(cells[0].config).to_bytes()))
        for number in range(10):
            small.put(f"{number:016x}", more)
        return hand_over(5, "result")(cells[1:], on_cell)

    ended, *_ = attempt(small, fill)
    assert ended.why == "result" and all(digest in small for digest in DIGESTS)
    assert f"{0:016x}" not in small
    small.close()


def test_a_child_that_dies_without_a_cell_ends_the_sweep(store):
    ended, asked, _ = attempt(store, hand_over(2, "died"), hand_over(0, "died", "It was killed."))
    assert (ended.why, ended.message, len(asked)) == ("died", "It was killed.", 2)
    assert store.get_partial_sweep(SWEEP.digest).done == 2


@pytest.mark.parametrize("why, said", [("time", "limit of 60 s"), ("memory", "limit of 2,048 MB")])
def test_a_sweep_at_its_limit_keeps_its_cells(store, why, said):
    ended, _, _ = attempt(store, hand_over(4, why))
    assert said in ended.message and "cells so far are kept" in ended.message
    assert store.get_partial_sweep(SWEEP.digest).done == 4
    _, asked, shares = attempt(store, hand_over(2, "result"))
    assert asked == [[4, 5]] and shares[0] == pytest.approx(4 / 6)


def test_a_cell_that_failed_is_a_row_that_says_so_and_is_tried_again_next_time(store):
    def one_fails(cells, on_cell):
        on_cell(CellDone(cells[0].digest, b"", "There is no luck."))
        return hand_over(5, "result")(cells[1:], on_cell)

    ended, _, _ = attempt(store, one_fails)
    table = SweepResult.from_bytes(ended.data)
    assert table.status(DIGESTS[0]) == "failed" and table.message(DIGESTS[0]) == "There is no luck."
    assert DIGESTS[0] not in store
    store.put_partial_sweep(SWEEP.digest, ended.data)
    ended, asked, _ = attempt(store, hand_over(1, "result"))
    assert asked == [[0]]
    assert SweepResult.from_bytes(ended.data).message(DIGESTS[0]) is None


def test_a_cell_whose_run_had_to_make_room_is_computed_again(store):
    attempt(store, hand_over(6, "result"))
    store.put_partial_sweep(SWEEP.digest, SweepResult(SWEEP).to_bytes())
    store.delete(DIGESTS[2])
    _, asked, _ = attempt(store, hand_over(1, "result"))
    assert asked == [[2]]


def test_a_stored_cell_that_is_corrupt_is_computed_again(store):
    store.put(DIGESTS[1], b"half a resu")
    _, asked, _ = attempt(store, hand_over(6, "result"))
    assert 1 in asked[0]


def test_a_table_of_an_earlier_attempt_that_is_corrupt_is_begun_anew(store):
    store.put_partial_sweep(SWEEP.digest, b"half a tabl")
    ended, asked, _ = attempt(store, hand_over(6, "result"))
    assert asked == [list(range(6))] and ended.why == "result"


def test_a_sweep_that_is_no_longer_wanted_stops_while_it_looks_through_the_store(
    store, monkeypatch
):
    monkeypatch.setattr("lazycore.service.workers.sweepwork.SHOW_SECONDS", -1.0)
    ended, asked, _ = attempt(store, is_wanted=lambda: False)
    assert (ended.why, ended.data, asked) == ("cancelled", None, [])


def test_a_cell_that_comes_back_as_another_run_is_a_bug(store):
    def swapped(cells, on_cell):
        on_cell(CellDone(cells[0].digest, sweep_standin.result(cells[1].config).to_bytes()))

    with pytest.raises(CorruptResult, match="another one"):
        attempt(store, swapped)
    assert store.digests() == []


def test_a_child_that_forgets_cells_is_a_bug(store):
    with pytest.raises(LazyLabError, match="without 2 cells"):
        attempt(store, hand_over(4, "result"))


def test_a_store_that_takes_no_more_ends_the_sweep_with_a_sentence(tmp_path):
    small = ResultStore(tmp_path / "small", size_limit=500)
    with pytest.raises(StoreFull, match="does not fit into the store"):
        attempt(small, hand_over(6, "result"))
    small.close()


# ── tables in the store ──────────────────────────────────────────────────────────────────
def test_a_table_is_not_taken_for_a_run(store):
    data = SweepResult(SWEEP).to_bytes()
    store.put_sweep(SWEEP.digest, data)
    assert store.digests() == [] and SWEEP.digest not in store and store.has_sweep(SWEEP.digest)
    assert not store.has_whole(SWEEP.digest) and store.has_whole_sweep(SWEEP.digest)
    store.put(SWEEP.digest, data)
    with pytest.raises(CorruptResult):
        store.get(SWEEP.digest)
    store.delete(SWEEP.digest)
    assert not store.has_sweep(SWEEP.digest)
    with pytest.raises(ResultNotFound):
        store.get_sweep(SWEEP.digest)


@pytest.mark.parametrize(
    "data",
    [b"", b"half a tabl", SweepResult(OTHER).to_bytes(), SweepResult(SWEEP).to_bytes()[:-40]],
    ids=["empty", "foreign", "another sweep's", "cut short"],
)
def test_a_table_that_is_not_the_whole_one_is_dropped_with_a_sentence(store, data):
    store.put_sweep(SWEEP.digest, data)
    with pytest.raises(CorruptResult, match="was dropped"):
        store.get_sweep(SWEEP.digest)
    assert not store.has_sweep(SWEEP.digest)


def test_a_row_that_claims_its_table_to_be_a_pickle_is_refused(store):
    store.put_sweep(SWEEP.digest, SweepResult(SWEEP).to_bytes())
    connection = sqlite3.connect(store.directory / "cache.db", timeout=10)
    with contextlib.closing(connection), connection:
        connection.execute("UPDATE Cache SET mode = 4")
    with pytest.raises(CorruptResult, match="pickle"):
        store.get_sweep(SWEEP.digest)


@pytest.mark.parametrize("digest", ["../x", "sweep:" + "0" * 16, "", "0" * 15])
def test_what_names_no_sweep_is_refused(store, digest):
    for call in (store.get_sweep, store.get_partial_sweep, store.has_sweep):
        with pytest.raises(ConfigError, match="names no run"):
            call(digest)


# ── limits ───────────────────────────────────────────────────────────────────────────────
def test_a_sweep_has_a_limit_of_its_own():
    assert devices.sweep_limits({}).seconds == 8 * 3600
    said = {"LAZYLAB_SWEEP_SECONDS": "7", "LAZYLAB_JOB_SECONDS": "5", "LAZYLAB_JOB_MB": "100"}
    assert devices.sweep_limits(said) == Limits(7.0, 100 * 2**20)
    with pytest.raises(ConfigError, match="LAZYLAB_SWEEP_SECONDS=soon"):
        devices.sweep_limits({"LAZYLAB_SWEEP_SECONDS": "soon"})


def test_a_sweep_may_use_the_threads_that_its_worker_has():
    cores = len(os.sched_getaffinity(0))
    assert devices.sweep_threads_each(1) == cores and devices.sweep_threads_each(10**6) == 1


def test_what_a_sweep_is_in_the_queue_is_plain_json():
    fields = json.loads(json.dumps(SWEEP.to_dict()))
    assert SweepConfig.from_dict(fields) == SWEEP
    assert isinstance(SWEEP.base, RunConfig)
