"""kill −9 of everything, in mid-run: nothing lost, nothing twice, nothing left behind."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap

import psutil
import pytest
import standin

QUICK, SLOW = standin.config(standin.QUICK), standin.config(standin.SLOW)
NATIVE = standin.config(standin.NATIVE)
KILLER = standin.config(standin.KILLER)


def begin(queue, run):
    """Submit the run and wait until it has shown a curve; a native one, until it is in its call."""
    digest = queue.submit(run)
    standin.until(lambda: queue.get(digest).progress > 0, "progress")
    if run is NATIVE:
        standin.until_in_native_call(child_of(queue, run).pid)
    return digest


def child_of(queue, run):
    """Return the process that computes the run, as it has said itself."""
    lines = standin.trace_of(queue.root).read_text().splitlines()
    pids = [int(line.split()[1]) for line in lines if line.split()[0] == str(run.seed)]
    return psutil.Process(pids[-1])


def test_kill_9_of_the_child_fails_the_job_with_a_sentence_and_the_worker_goes_on(queue):
    worker = standin.start_worker(queue.root, "--device", "cpu")
    digest = begin(queue, NATIVE)
    child_of(queue, NATIVE).kill()
    job = standin.ended(queue, digest)
    assert job.state == "failed" and "was killed (SIGKILL" in job.message
    assert "run it again" in job.message and job.progress > 0
    assert queue.store.get_partial(digest).status == "cancelled"
    assert standin.ended(queue, queue.submit(QUICK)).state == "done"
    standin.stop_worker(worker, queue.root)


@pytest.mark.parametrize("run", [SLOW, NATIVE], ids=["python", "native call"])
def test_kill_9_of_the_worker_ends_its_children_and_the_next_one_takes_the_job_up(queue, run):
    worker = standin.start_worker(queue.root, "--device", "cpu")
    digest = begin(queue, run)
    waiting = queue.submit(QUICK)
    standin.kill(worker)
    standin.assert_no_process_is_left(queue.root)
    assert not queue.workers()[0].alive
    assert queue.store.get_partial(digest).status == "cancelled"
    worker = standin.start_worker(queue.root, "--device", "cpu")
    standin.until(lambda: standin.executions(standin.trace_of(queue.root), run) == 2, "it")
    assert queue.get(digest).state == "running" and len(queue.list()) == 2
    queue.cancel(digest)
    assert standin.ended(queue, waiting).state == "done"
    assert standin.executions(standin.trace_of(queue.root), QUICK) == 1
    standin.stop_worker(worker, queue.root)


def test_the_children_of_a_gpu_worker_see_its_gpu_alone_and_end_with_it(queue):
    # They are started another way (spawn), and no GPU is needed to see that it works.
    worker = standin.start_worker(queue.root, "--device", "cuda:1", CUDA_VISIBLE_DEVICES="3,5")
    digest = begin(queue, NATIVE)
    assert queue.get(digest).device == "cuda:1" and queue.workers()[0].name == "cuda-1"
    assert standin.trace_of(queue.root).read_text().split()[2:] == ["cuda:0", "5"]
    queue.cancel(digest)
    assert standin.ended(queue, queue.submit(QUICK)).state == "done"
    begin(queue, SLOW)
    standin.kill(worker)
    standin.assert_no_process_is_left(queue.root)


def test_a_job_whose_worker_died_after_storing_its_result_is_not_computed_again(queue):
    worker = standin.start_worker(queue.root, "--device", "cpu")
    digest = begin(queue, SLOW)
    standin.kill(worker)
    queue.store.put(digest, standin.result(SLOW))
    worker = standin.start_worker(queue.root, "--device", "cpu")
    assert standin.ended(queue, queue.submit(QUICK)).state == "done"
    assert queue.get(digest).state == "done"
    assert standin.executions(standin.trace_of(queue.root), SLOW) == 1
    standin.stop_worker(worker, queue.root)


def test_kill_9_of_the_server_that_embeds_the_worker_leaves_no_process(queue):
    script = f"""
        import pathlib, standin, sys
        standin.start_worker(pathlib.Path({str(queue.root)!r}))
        sys.stdin.read()
    """
    server = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    digest = begin(queue, NATIVE)
    # The supervisor, its worker, the fork server and its tracker, a child and its standby.
    assert len(standin.processes_of(queue.root)) >= 5
    server.kill()
    server.wait(standin.DEADLINE)
    server.stdin.close()
    standin.assert_no_process_is_left(queue.root)
    assert queue.workers() == [] and queue.get(digest).state == "queued"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_told_to_end_gives_its_job_back_and_leaves_no_process(queue, number):
    worker = standin.start_worker(queue.root)
    digest = begin(queue, SLOW)
    worker.send_signal(number)
    assert worker.wait(standin.DEADLINE) == 0
    worker.stdin.close()
    standin.assert_no_process_is_left(queue.root)
    assert queue.workers() == [] and queue.get(digest).state == "queued"


def test_a_killed_worker_is_started_again_and_takes_its_job_up(queue):
    supervisor = standin.start_worker(queue.root)
    digest = begin(queue, SLOW)
    os.kill(queue.workers()[0].pid, signal.SIGKILL)
    standin.until(lambda: standin.executions(standin.trace_of(queue.root), SLOW) == 2, "it")
    queue.cancel(digest)
    standin.stop_worker(supervisor, queue.root)


def test_a_job_that_kills_its_worker_each_time_ends_as_failed(queue):
    supervisor = standin.start_worker(queue.root)
    digest = queue.submit(KILLER)
    job = standin.ended(queue, digest)
    assert job.state == "failed" and "each time it was tried" in job.message
    assert standin.executions(standin.trace_of(queue.root), KILLER) == 4
    assert standin.ended(queue, queue.submit(QUICK)).state == "done"
    standin.stop_worker(supervisor, queue.root)


def test_a_second_worker_of_one_device_stands_by_and_takes_over(queue):
    first = standin.start_worker(queue.root, "--device", "cpu")
    digest = begin(queue, SLOW)
    second = standin.start_worker(queue.root, "--device", "cpu")
    waiting = queue.submit(QUICK)
    assert queue.wait(waiting, 2).state == "queued"
    standin.kill(first)
    standin.until(lambda: standin.executions(standin.trace_of(queue.root), SLOW) == 2, "it")
    assert queue.workers()[0].pid == second.pid
    queue.cancel(digest)
    assert standin.ended(queue, waiting).state == "done"
    standin.stop_worker(second, queue.root)


def test_a_job_of_a_device_that_is_gone_is_taken_up_by_another_worker(queue, monkeypatch):
    gone = standin.start_worker(queue.root, "--device", "cpu")
    begin(queue, SLOW)
    standin.kill(gone)
    with_other_name = queue.root / "workers" / "cuda-7.lock"
    (queue.root / "workers" / "cpu.lock").rename(with_other_name)
    rename_executor(queue.root, "cuda-7")
    worker = standin.start_worker(queue.root, "--device", "cpu")
    standin.until(lambda: standin.executions(standin.trace_of(queue.root), SLOW) == 2, "it")
    queue.cancel(SLOW.digest)
    standin.stop_worker(worker, queue.root)


def rename_executor(root, name):
    connection = sqlite3.connect(root / "jobs.sqlite", timeout=60)
    with contextlib.closing(connection), connection:
        connection.execute("UPDATE workflow_status SET executor_id = ?", (name,))
