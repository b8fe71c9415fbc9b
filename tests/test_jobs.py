"""The queue's contract, kept by the real one and by the in-process fake."""

import concurrent.futures
import contextlib
import json
import os
import pickle
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import standin
from fake_queue import InMemoryQueue

from lazycore.config.run import RunConfig
from lazycore.errors import BudgetError, ConfigError, CorruptResult, JobError
from lazycore.service.queue import JobQueue, open_queue
from lazycore.service.workers.child import ENGINE

QUICK, OTHER = standin.config(standin.QUICK), standin.config(standin.QUICK, 1)
SLOW = standin.config(standin.SLOW)
REFUSED = standin.config(standin.REFUSE)


@pytest.fixture(params=["real", "fake"])
def queue(request, tmp_path):
    """A queue that nobody serves."""
    queue = JobQueue(tmp_path) if request.param == "real" else InMemoryQueue(tmp_path)
    yield queue
    queue.close()


@pytest.fixture
def served(queue, monkeypatch):
    """A queue that one worker serves."""
    monkeypatch.setenv("LAZYLAB_TEST_TRACE", str(standin.trace_of(queue.root)))
    if isinstance(queue, InMemoryQueue):
        queue.start()
        yield queue
        return
    monkeypatch.delenv("LAZYLAB_TEST_TRACE")
    worker = standin.start_worker(queue.root, "--device", "cpu")
    yield queue
    standin.stop_worker(worker, queue.root)
    standin.kill_what_is_left(queue.root)


@pytest.fixture
def real(tmp_path):
    queue = JobQueue(tmp_path)
    yield queue
    queue.close()
    standin.kill_what_is_left(tmp_path)


# ── the contract ─────────────────────────────────────────────────────────────────────────
def test_a_job_is_accepted_before_any_worker_ever_ran(queue):
    assert queue.list() == [] and queue.workers() == []
    before = time.time()
    digest = queue.submit(QUICK)
    after = time.time()
    job = queue.get(digest)
    assert digest == QUICK.digest
    assert (job.state, job.position, job.progress) == ("queued", 0, 0.0)
    assert RunConfig.from_dict(job.config).digest == digest
    assert before <= job.submitted_at <= after
    assert job.started_at is None and job.finished_at is None


def test_nobody_has_asked_for_an_unknown_run(queue):
    assert queue.get(QUICK.digest) is None
    for act in (queue.cancel, queue.retry, lambda digest: queue.wait(digest, 1)):
        with pytest.raises(JobError, match="There is no job"):
            act(QUICK.digest)
    with pytest.raises(ConfigError, match="names no run"):
        queue.get("../jobs.sqlite")


def test_submitting_twice_is_one_job(queue):
    assert queue.submit(QUICK) == queue.submit(QUICK)
    assert len(queue.list()) == 1


def test_a_run_over_budget_is_refused_before_it_is_queued(queue):
    with pytest.raises(BudgetError):
        queue.submit(RunConfig(dynamics="gd", steps=10**12))
    assert queue.list() == []


def test_the_list_is_newest_first_and_says_how_many_wait_before_each(queue):
    digests = [queue.submit(standin.config(standin.QUICK, i)) for i in range(4)]
    jobs = queue.list()
    assert [job.digest for job in jobs] == digests[::-1]
    assert [job.position for job in jobs] == [3, 2, 1, 0]
    assert [job.digest for job in queue.list(limit=2)] == digests[:1:-1]


def test_cancelling_a_waiting_job_lets_the_next_one_move_up(queue):
    first, second = queue.submit(QUICK), queue.submit(OTHER)
    queue.cancel(first)
    assert queue.get(first).state == "cancelled" and "before it began" in queue.get(first).message
    assert queue.get(second).position == 0
    queue.cancel(first)
    assert queue.get(first).state == "cancelled"


def test_a_cancelled_job_can_be_submitted_anew(queue):
    digest = queue.submit(QUICK)
    for again in (queue.submit, lambda config: queue.retry(config.digest)):
        queue.cancel(digest)
        assert again(QUICK) == digest
        assert queue.get(digest).state == "queued" and queue.get(digest).message is None


def test_a_deleted_job_is_forgotten(queue):
    digest = queue.submit(QUICK)
    queue.delete(digest)
    assert queue.get(digest) is None and queue.list() == []
    queue.delete(digest)


def test_a_stored_result_is_never_computed_again(queue):
    queue.store.put(QUICK.digest, standin.result(QUICK))
    assert queue.submit(QUICK) == QUICK.digest
    job = queue.get(QUICK.digest)
    assert queue.list() == [] and job.state == "done"
    assert RunConfig.from_dict(job.config).digest == QUICK.digest


def test_a_corrupt_result_is_computed_again(queue):
    queue.store.put(QUICK.digest, b"half a resu")
    queue.submit(QUICK)
    assert queue.get(QUICK.digest).state == "queued"


def test_waiting_is_bounded(queue, monkeypatch):
    digest = queue.submit(QUICK)
    slept = []
    clock = SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append)
    monkeypatch.setattr("lazycore.service.queue.time", clock)
    assert queue.wait(digest, 0.2).state == "queued"
    assert sum(slept) == pytest.approx(0.2)


def test_a_job_is_run_and_its_result_is_in_the_store(served):
    job = standin.ended(served, served.submit(QUICK))
    assert (job.state, job.progress, job.message, job.device) == ("done", 1.0, None, "cpu")
    assert job.submitted_at <= job.started_at <= job.finished_at
    assert served.store.get(job.digest).digest == job.digest
    served.submit(QUICK)
    assert served.get(job.digest).state == "done"
    assert standin.executions(standin.trace_of(served.root), QUICK) == 1


def test_jobs_are_run_in_the_order_in_which_they_came(served):
    runs = [standin.config(standin.QUICK, 7 * i % 5) for i in range(5)]
    for run in runs:
        served.submit(run)
    for run in runs:
        assert standin.ended(served, run.digest).state == "done"
    lines = standin.trace_of(served.root).read_text().splitlines()
    assert [int(line.split()[0]) for line in lines] == [run.seed for run in runs]


def test_a_failed_job_says_why_and_can_be_retried(served):
    digest = served.submit(REFUSED)
    job = standin.ended(served, digest)
    assert (job.state, job.message) == (
        "failed",
        "step_size=3 is above 2, where nothing converges.",
    )
    assert served.retry(digest) == digest
    assert standin.ended(served, digest).state == "failed"
    assert standin.executions(standin.trace_of(served.root), REFUSED) == 2


def test_cancelling_a_running_job_frees_its_worker_and_keeps_its_curve(served):
    digest = served.submit(SLOW)
    standin.until(lambda: served.get(digest).progress > 0, "progress")
    served.submit(QUICK)
    served.cancel(digest)
    assert served.get(digest).state == "cancelled"
    # The run would have gone on for longer than this waits.
    assert standin.ended(served, QUICK.digest).state == "done"
    assert served.store.get_partial(digest).status == "cancelled"
    assert 0 < served.get(digest).progress < 1
    assert digest not in served.store


def test_a_run_submitted_again_while_it_is_being_cancelled_is_run(served):
    digest = served.submit(SLOW)
    standin.until(lambda: served.get(digest).progress > 0, "progress")
    before = served.get(digest).submitted_at
    served.cancel(digest)
    served.submit(SLOW)
    standin.until(lambda: served.get(digest).state == "running", "the second attempt")
    assert served.get(digest).submitted_at > before
    served.cancel(digest)


def test_deleting_a_running_job_stops_it_and_leaves_nothing(served):
    digest = served.submit(SLOW)
    standin.until(lambda: served.get(digest).progress > 0, "progress")
    served.delete(digest)
    assert standin.ended(served, served.submit(QUICK)).state == "done"
    assert served.get(digest) is None and served.store.get_note(digest) is None


# ── what only the real one can show ──────────────────────────────────────────────────────
def test_a_job_whose_result_was_evicted_says_so_and_can_be_had_again(real):
    worker = standin.start_worker(real.root, "--device", "cpu")
    job = standin.ended(real, real.submit(QUICK))
    standin.until(lambda: real.running() == [], "the outcome to be written")
    real.store.delete(job.digest)
    job = real.get(job.digest)
    assert job.state == "failed" and "make room in the store" in job.message
    assert standin.ended(real, real.retry(job.digest)).state == "done"
    standin.stop_worker(worker, real.root)


def test_a_disk_that_fills_up_under_an_open_queue_is_a_sentence(tmp_path):
    script = f"""
        import pathlib, resource, standin
        from lazycore.errors import StoreFull
        from lazycore.service.queue import JobQueue
        queue = JobQueue(pathlib.Path({str(tmp_path)!r}))
        resource.setrlimit(resource.RLIMIT_FSIZE, (36_000, 36_000))
        count = 0
        try:
            for count in range(100):
                queue.submit(standin.config(count))
        except StoreFull as error:
            print(error)
        print(len(queue.list()) == count)
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.check_output(
        [sys.executable, "-c", textwrap.dedent(script)], text=True, env=environment, timeout=60
    )
    assert "took no more data" in said and said.endswith("True\n")


def test_two_tabs_submitting_the_same_runs_compute_each_once(real):
    script = f"""
        import pathlib, standin
        from lazycore.service.queue import JobQueue
        queue = JobQueue(pathlib.Path({str(real.root)!r}))
        for i in range(20):
            queue.submit(standin.config(standin.QUICK, i % 5))
        for i in range(5):
            assert standin.ended(queue, standin.config(standin.QUICK, i).digest).state == "done"
    """
    worker = standin.start_worker(real.root, "--device", "cpu")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    tabs = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], env=environment)
        for _ in range(2)
    ]
    assert [tab.wait(standin.DEADLINE) for tab in tabs] == [0, 0]
    for i in range(5):
        run = standin.config(standin.QUICK, i)
        assert standin.executions(standin.trace_of(real.root), run) == 1
    standin.stop_worker(worker, real.root)


def test_many_threads_submitting_one_cancelled_run_make_one_job(real):
    real.cancel(real.submit(QUICK))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(real.submit, QUICK) for _ in range(16)]
        assert {one.result(standin.DEADLINE) for one in asked} == {QUICK.digest}
    assert len(real.list()) == 1 and real.get(QUICK.digest).state == "queued"


def test_the_worker_is_seen_with_what_it_is_busy_with(real):
    worker = standin.start_worker(real.root, "--device", "cpu")
    digest = real.submit(SLOW)
    left = standin.until(lambda: real.get(digest).eta_seconds, "an estimate of the time left")
    assert left > 0
    standin.until(lambda: real.workers()[0].alive, "a sign of life")
    (seen,) = real.workers()
    assert (seen.name, seen.pid, seen.device) == ("cpu", worker.pid, "cpu")
    assert seen.busy_with == digest
    standin.stop_worker(worker, real.root)
    # It ended in good order, so it is no longer listed and its job waits again.
    assert real.workers() == [] and real.get(digest).state == "queued"


def edit(root, sql, *values):
    connection = sqlite3.connect(root / "jobs.sqlite", timeout=60)
    with contextlib.closing(connection), connection:
        assert connection.execute(sql, values).rowcount > 0


class Trap:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_a_worker_holding_an_old_submission_of_a_run_is_told_to_stop(real):
    def take():
        edit(real.root, "UPDATE workflow_status SET status = 'PENDING'")
        return json.loads(read(real.root, "SELECT inputs FROM workflow_input"))["positionalArgs"][0]

    digest = real.submit(QUICK)
    old = take()
    assert real.is_wanted(digest, old)
    real.cancel(digest)
    assert not real.is_wanted(digest, old)
    real.submit(QUICK)
    new = take()  # by another worker, before the first has asked
    assert real.is_wanted(digest, new) and not real.is_wanted(digest, old)
    real.delete(digest)
    assert not real.is_wanted(digest, new)


def read(root, sql):
    with contextlib.closing(sqlite3.connect(root / "jobs.sqlite", timeout=60)) as connection:
        return connection.execute(sql).fetchone()[0]


def test_a_pickle_planted_in_the_queue_is_never_loaded(real):
    import base64

    trap = real.root / "sprung"
    evil = base64.b64encode(pickle.dumps(Trap(trap))).decode()
    digest = real.submit(QUICK)
    edit(real.root, "UPDATE workflow_status SET serialization = 'py_pickle', inputs = NULL")
    edit(real.root, "UPDATE workflow_input SET inputs = ?", evil)
    assert real.get(digest).config == {} and real.list()[0].digest == digest
    worker = standin.start_worker(real.root, "--device", "cpu")
    job = standin.until(
        lambda: (job := real.get(digest)) and job.state == "failed" and job, "the failure"
    )
    assert "not readable; run it again" in job.message
    assert not trap.exists()
    assert standin.ended(real, real.submit(QUICK)).state == "done"
    standin.stop_worker(worker, real.root)


def test_a_tampered_config_is_a_failed_job_with_a_sentence(real):
    digest = real.submit(QUICK)
    change = "UPDATE workflow_input SET inputs = replace(inputs, ?, ?)"
    edit(real.root, change, '"width":100', '"width":-3')
    worker = standin.start_worker(real.root, "--device", "cpu")
    job = standin.ended(real, digest)
    assert job.state == "failed" and "width=-3 is not allowed" in job.message
    assert standin.executions(standin.trace_of(real.root), QUICK) == 0
    standin.stop_worker(worker, real.root)


def test_a_job_of_another_engine_version_is_said_to_be_one(real):
    digest = real.submit(QUICK)
    edit(real.root, "UPDATE workflow_status SET application_version = 'engine-0'")
    job = real.get(digest)
    assert job.state == "failed" and "another version" in job.message
    real.retry(digest)
    assert real.get(digest).state == "queued"


def test_a_queue_whose_database_is_no_database_is_a_sentence(tmp_path):
    (tmp_path / "jobs.sqlite").write_bytes(b"not a database " * 100)
    with pytest.raises(JobError, match="could not be used"):
        JobQueue(tmp_path)


def test_the_queue_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("LAZYLAB_CACHE", str(tmp_path))
    queue = open_queue()
    assert queue.root == tmp_path
    queue.close()


def test_the_web_process_imports_neither_torch_nor_dbos_before_it_needs_a_queue():
    modules = "[m for m in ('torch', 'dbos') if m in sys.modules]"
    script = f"import sys, lazycore.service.queue; print({modules})"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.check_output([sys.executable, "-c", script], text=True, env=environment)
    assert said.strip() == "[]"


def test_the_engine_behind_the_queue_gives_the_numbers_that_it_gives_at_home(real):
    from lazycore.running.run import run

    short = RunConfig(task="sine", dynamics="gd", steps=20, n_train=10, n_test=5, width=20)
    long = RunConfig(task="sine", dynamics="gd", steps=3_000_000, n_train=30, width=200)
    worker = standin.start_worker(real.root, "--device", "cpu", engine=ENGINE)
    job = standin.ended(real, real.submit(short))
    assert job.state == "done", job.message
    assert real.store.get(job.digest).to_dict() == run(short, device="cpu").to_dict()
    digest = real.submit(long)
    standin.until(lambda: real.get(digest).progress > 0, "progress")
    real.cancel(digest)
    partial = real.store.get_partial(digest)
    assert partial.status == "cancelled" and 0 < partial.time[-1] < long.resolve().steps
    standin.stop_worker(worker, real.root)


def test_a_result_that_turns_out_corrupt_is_had_again_through_the_queue(served):
    digest = served.submit(QUICK)
    standin.ended(served, digest)
    served.store.put(digest, b"truncated")
    with pytest.raises(CorruptResult):
        served.store.get(digest)

    def asked_again() -> bool:
        # Until the queue, too, knows that the first one has ended, it takes no second.
        served.submit(QUICK)
        return digest in served.store

    standin.until(asked_again, "the second computation")
    assert standin.executions(standin.trace_of(served.root), QUICK) == 2
