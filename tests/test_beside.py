"""The workers beside a server: back when their supervisor is killed, gone when the server is."""

import os
import signal
import subprocess
import sys
import textwrap

import psutil
import pytest
import standin
from conftest import ROOT, running_server

from lazycore.service import heartbeat
from lazycore.service.queue import JobQueue
from lazycore.service.workers.supervisor import RESTART_SECONDS, Patience


def supervisor_of(server):
    """Return the supervisor of this server's workers, None while there is none."""
    for process in psutil.Process(server.pid).children():
        if "lazycore.service.workers.worker" in process.cmdline():
            return process
    return None


def alive(root):
    return [worker.pid for worker in heartbeat.workers(root) if worker.alive]


def test_a_supervisor_that_is_killed_is_started_again_and_its_worker_too(tmp_path):
    with running_server(tmp_path) as (server, _):
        for _ in range(2):
            before, supervisor = alive(tmp_path), supervisor_of(server)
            supervisor.kill()
            standin.until(
                lambda before=before: set(alive(tmp_path)) - set(before), "another worker"
            )
            assert supervisor_of(server).pid != supervisor.pid
        queue = JobQueue(tmp_path)
        run = standin.RunConfig(dynamics="gd", steps=5, width=4, n_train=4, n_test=0)
        assert standin.ended(queue, queue.submit(run)).state == "done"
        queue.close()
        family = psutil.Process(server.pid).children(recursive=True)
    _, left = psutil.wait_procs(family, timeout=standin.DEADLINE)
    assert left == []


def test_a_server_of_a_test_ends_with_the_tests_however_they_are_broken_off(tmp_path):
    script = f"""
        import pathlib, sys, time
        sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
        from conftest import running_server
        with running_server(pathlib.Path({str(tmp_path)!r})) as (server, _):
            print(server.pid, flush=True)
            time.sleep(1000)
    """
    tests = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )
    assert tests.stdout is not None
    server = psutil.Process(int(tests.stdout.readline()))
    family = [server, *server.children(recursive=True)]
    os.kill(tests.pid, signal.SIGKILL)
    tests.wait()
    tests.stdout.close()
    _, left = psutil.wait_procs(family, timeout=standin.DEADLINE)
    assert left == []


def test_what_was_killed_is_started_at_once_and_what_cannot_start_waits_longer_each_time():
    patience = Patience()
    shortest, longest = RESTART_SECONDS
    assert [patience.after(1, 0.1) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert patience.after(-signal.SIGKILL, 0.1) == shortest
    assert [patience.after(1, 0.1) for _ in range(2)] == [shortest, 2 * shortest]
    assert patience.after(1, longest + 1) == shortest


@pytest.mark.parametrize("number", [0, -signal.SIGTERM])
def test_a_worker_that_was_told_to_end_is_not_to_blame(number):
    patience = Patience(30.0)
    assert patience.after(number, 1.0) == RESTART_SECONDS[0]


def test_the_server_does_not_stop_for_a_full_collection_after_every_drawing():
    code = (
        "import app; from streamlit import config; print(config.get_option('runner.postScriptGC'))"
    )
    said = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert said.strip().endswith("False")
