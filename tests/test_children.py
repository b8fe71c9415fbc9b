"""What happens to children: their fork server killed, an engine that cannot start, their folder."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from multiprocessing import forkserver
from pathlib import Path
from threading import Thread

import psutil
import pytest
import standin

from lazycore.errors import JobError
from lazycore.service import heartbeat
from lazycore.service.queue import JobQueue
from lazycore.service.workers import ahead, scratch, worker
from lazycore.service.workers import children as children_module
from lazycore.service.workers.children import Child, Children, Limits
from lazycore.service.workers.desk import Desk

QUICK, SLOW = standin.config(standin.QUICK), standin.config(standin.SLOW)
NATIVE = standin.config(standin.NATIVE)
AMPLE = Limits(seconds=10**4, bytes=2**31)


@pytest.fixture
def children():
    children = Children("cpu", threads=1, engine=standin.ENGINE)
    yield children
    children.close()


def run(children, config, is_wanted=lambda: True, on_progress=lambda share, data: None):
    fields = config.resolve().to_dict()
    return children.run(fields, AMPLE, is_wanted, on_progress)


def kill_fork_server():
    pid = forkserver._forkserver._forkserver_pid
    os.kill(pid, signal.SIGKILL)
    standin.until(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE, "its end")


def test_what_is_imported_ahead_is_said_by_one_start_at_a_time(monkeypatch):
    monkeypatch.setenv(ahead.VARIABLE, "another's")
    made = []
    with children_module._STARTING:
        thread = Thread(target=lambda: made.append(Child(standin.ENGINE, "cpu", 1)))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive() and os.environ[ahead.VARIABLE] == "another's"
    thread.join(standin.DEADLINE)
    assert os.environ[ahead.VARIABLE] == "standin"
    made[0].kill()


# ── the fork server ──────────────────────────────────────────────────────────────────────
def test_a_run_outlives_the_fork_server_that_its_child_came_from(children):
    seen = []

    def on_progress(share, data):
        if not seen:
            kill_fork_server()
        seen.append(share)

    before = children.pids()
    ended = run(children, SLOW, lambda: len(seen) < 5, on_progress)
    assert ended.why == "cancelled" and len(seen) >= 5
    assert not psutil.pid_exists(before[0]) or (
        psutil.Process(before[0]).status() == psutil.STATUS_ZOMBIE
    ), "it can be killed all the same"
    ended = run(children, QUICK)
    assert ended.why == "result" and children.pids()[0] == before[1]
    assert run(children, standin.config(standin.CRASH)).why == "died"
    assert run(children, QUICK).why == "result", "and there is another fork server"


def test_a_child_that_is_killed_after_its_fork_server_is_known_to_be_dead(children):
    def on_progress(share, data):
        kill_fork_server()
        os.kill(children.pids()[0], signal.SIGKILL)

    ended = run(children, SLOW, on_progress=on_progress)
    assert ended.why == "died" and ended.data and "was killed; run it again" in ended.message


def test_a_fork_server_that_was_killed_while_nothing_ran_costs_nobody_a_run(children):
    run(children, QUICK)
    kill_fork_server()
    for _ in range(2):
        assert run(children, QUICK).why == "result"


def test_a_fork_server_that_is_killed_as_it_is_asked_is_asked_once_more(monkeypatch):
    start = forkserver._forkserver.connect_to_new_process
    asked = []

    def refused_once(fds):
        asked.append(fds)
        if len(asked) == 1:
            raise ConnectionRefusedError("gone")
        return start(fds)

    monkeypatch.setattr("multiprocessing.forkserver.connect_to_new_process", refused_once)
    children = Children("cpu", threads=1, engine=standin.ENGINE)
    assert run(children, QUICK).why == "result" and len(asked) == 3
    children.close()


def test_children_that_cannot_be_started_are_a_sentence(monkeypatch):
    def refused(fds):
        raise EOFError("unexpected EOF")

    monkeypatch.setattr("multiprocessing.forkserver.connect_to_new_process", refused)
    with pytest.raises(JobError, match="was not started: EOFError"):
        Child(standin.ENGINE, "cpu", 1)


def test_without_another_child_to_stand_by_it_goes_on(children, monkeypatch):
    new = children._new

    def refused():
        raise JobError("The process that computes runs was not started.")

    children._new = refused
    assert run(children, standin.config(standin.CRASH)).why == "died"
    assert len(children.pids()) == 1
    assert run(children, QUICK).why == "result"
    assert run(children, standin.config(standin.CRASH)).why == "died"
    with pytest.raises(JobError):
        run(children, QUICK)
    children._new = new
    assert run(children, QUICK).why == "result" and len(children.pids()) == 2


def test_a_child_that_says_what_cannot_be_read_is_replaced(children, monkeypatch):
    before = children.pids()
    pipe = children._active.pipe
    monkeypatch.setattr(type(pipe), "recv_bytes", lambda self: b"\0\0\1\2{not a frame")
    ended = run(children, SLOW)
    monkeypatch.undo()
    assert ended.why == "died" and "could not be read" in ended.message
    assert run(children, QUICK).why == "result" and children.pids()[0] == before[1]


def test_one_that_died_while_it_stood_by_is_followed_by_another(children):
    run(children, QUICK)
    active, standby = children.pids()
    os.kill(standby, signal.SIGKILL)
    standin.until(lambda: not children._standby.is_alive, "its end")
    assert run(children, QUICK).why == "result"
    assert children.pids()[0] == active and psutil.pid_exists(children.pids()[1])
    assert children.pids()[1] != standby


# ── a child that cannot start ────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "text, said",
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise OSError('libtorch.so: no such file')", "OSError: libtorch.so: no such file"),
        ("def warm_up(device, threads): 1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_job_of_a_child_that_cannot_start_says_why(tmp_path, text, said):
    (tmp_path / "broken_engine.py").write_text(text + "\n")
    queue = JobQueue(tmp_path)
    process = standin.start_worker(
        *(tmp_path, "--device", "cpu"),
        engine="broken_engine:engine",
        PYTHONPATH=search_path(tmp_path),
    )
    for number in range(2):
        job = standin.ended(queue, queue.submit(standin.config(standin.QUICK, number)))
        assert job.state == "failed"
        assert job.message == f"The process that computes runs cannot start: {said}"
    standin.stop_worker(process, tmp_path)
    queue.close()


def search_path(root):
    parts = [str(standin.PROJECT), str(standin.PROJECT / "tests"), str(root)]
    return os.pathsep.join([*parts, os.environ.get("PYTHONPATH", "")])


def test_a_bug_of_the_worker_is_the_failure_of_the_job(tmp_path, children, monkeypatch, capsys):
    queue = JobQueue(tmp_path)
    desk = Desk(queue, "cpu", "cpu", children, AMPLE)
    monkeypatch.setattr(queue, "is_wanted", lambda digest, ticket: True)
    monkeypatch.setattr(queue.store, "put", lambda digest, data: 1 / 0)
    outcome = worker.step(desk, QUICK.digest, "ticket", QUICK.resolve().to_dict())
    assert outcome["state"] == "failed" and "a bug: ZeroDivisionError" in outcome["message"]
    assert "ZeroDivisionError" in capsys.readouterr().err and desk.busy_with is None
    queue.close()


# ── the folder ───────────────────────────────────────────────────────────────────────────
@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A folder for temporary files that a test has for itself."""
    folder = tmp_path / "t"
    folder.mkdir()
    for name, value in (("TMPDIR", str(folder)), (scratch.VARIABLE, "")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_the_next_of_a_name_takes_away_what_the_last_one_left(temporary, tmp_path):
    lock = heartbeat.claim(tmp_path, "cpu")
    first = scratch.take(lock)
    assert stat.S_IMODE(first.stat().st_mode) == 0o700 and tempfile.gettempdir() == str(first)
    (first / "file").touch()
    lock.close()
    tempfile.tempdir = str(temporary)
    lock = heartbeat.claim(tmp_path, "cpu")
    second = scratch.take(lock)
    assert list(temporary.iterdir()) == [second]
    scratch.leave()
    scratch.leave()
    assert list(temporary.iterdir()) == []
    lock.close()


@pytest.mark.parametrize("name", ["mine", "lazylab-link", "", "../mine"])
def test_what_stands_in_a_lock_does_not_choose_what_is_deleted(temporary, tmp_path, name):
    mine = tmp_path / "mine"
    mine.mkdir()
    (tmp_path / "lazylab-link").symlink_to(mine)
    lock = heartbeat.claim(tmp_path, "cpu")
    lock.write(str(tmp_path / name) if name else "")
    lock.flush()
    scratch.take(lock)
    assert mine.is_dir() and heartbeat._folder(tmp_path).is_dir()
    lock.close()


def test_a_worker_leaves_no_folder_when_it_is_killed_nor_when_it_is_told_to_end(tmp_path):
    temporary = Path(tempfile.mkdtemp(prefix="t-"))  # a socket's path is short
    queue = JobQueue(tmp_path)
    queue.submit(SLOW)
    for count, number in enumerate((signal.SIGKILL, signal.SIGTERM), 1):
        process = standin.start_worker(tmp_path, "--device", "cpu", TMPDIR=str(temporary))
        standin.until(lambda count=count: begun(tmp_path) == count, "the run")
        assert [p.name[:8] for p in temporary.iterdir()] == [scratch.PREFIX]
        process.send_signal(number)
        process.wait(standin.DEADLINE)
        process.stdin.close()
        standin.assert_no_process_is_left(tmp_path)
        assert list(temporary.iterdir()) == []
    queue.close()
    temporary.rmdir()


def test_a_worker_that_cannot_start_leaves_no_folder(tmp_path, temporary):
    (tmp_path / "jobs.sqlite").write_bytes(b"not a database " * 100)
    process = standin.start_worker(tmp_path, "--device", "cpu", TMPDIR=str(temporary))
    assert process.wait(standin.DEADLINE) == 1
    standin.assert_no_process_is_left(tmp_path)
    assert list(temporary.iterdir()) == []


def begun(root):
    return standin.executions(standin.trace_of(root), SLOW)


def test_a_beat_that_was_broken_off_is_tidied_up(tmp_path):
    heartbeat.beat(tmp_path, "cpu", "cpu", None)
    (tmp_path / "workers" / "cpu.123-4.new").write_text("{")
    (tmp_path / "workers" / "cuda-0.123-4.new").write_text("{")
    heartbeat.tidy(tmp_path, "cpu")
    left = sorted(path.name for path in (tmp_path / "workers").iterdir())
    assert left == ["cpu.json", "cuda-0.123-4.new"]


def test_what_is_imported_ahead_may_fail():
    code = "import lazycore.service.workers.ahead, sys; print('this' in sys.modules)"
    for named in ("this", "no_such_library"):
        said = subprocess.check_output(
            [sys.executable, "-c", textwrap.dedent(code)],
            env=os.environ | {"LAZYLAB_AHEAD": named, "PYTHONPATH": str(standin.PROJECT)},
            text=True,
        )
        assert said.endswith(f"{named == 'this'}\n")
