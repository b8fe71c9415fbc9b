"""Runs that behave badly on purpose: an engine for the tests of child, worker and queue.

What a run does is chosen by the hundreds of its seed. Each execution leaves a line in the
file $LAZYLAB_TEST_TRACE, so that a test can count them. How far a run comes goes by the number
of its records and by what was asked of it, never by the clock: a machine may stand still for
seconds at any instant.
"""

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from lazycore.config.run import RunConfig
from lazycore.errors import ConfigError
from lazycore.results.run import RunResult, Snapshot
from lazycore.running.refinement import LOOSE

QUICK, SLOW, NATIVE, HOG, CRASH, BUG, REFUSE, KILLER, EXIT, SILENT = (100 * i for i in range(10))
ENGINE = "standin:engine"
DEADLINE = 120.0
"""Seconds after which a test gives up waiting. No promise: whatever is slower than this hangs,
and what a run of these would do by itself takes longer."""
PAUSE = 0.01
LONG = 10**5
"""Records of a run that does not end while a test lasts: more than 1,000 s of them."""


def config(kind: int, number: int = 0) -> RunConfig:
    """Return the config of the `number`th run of this kind, which has one answer."""
    return RunConfig(seed=kind + number, tolerance=LOOSE)


def result(run: RunConfig, records: int = 5) -> bytes:
    """Return the bytes of a whole, if empty, result of this run."""
    return RunResult.collect(run, [Snapshot(time=float(i)) for i in range(records)]).to_bytes()


def engine(fields, device):
    """Do what the seed says, in the manner of `lazycore.service.workers.child.training`."""
    trace = os.environ.get("LAZYLAB_TEST_TRACE")
    if trace:
        with open(trace, "a") as file:
            gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "any")
            file.write(f"{fields['seed']} {os.getpid()} {device} {gpus}\n")
    run = RunConfig.from_dict(fields)
    snapshots = []
    asked = []

    def fold(status):
        asked.append(status)
        return RunResult.collect(run, snapshots, status=status).to_bytes()

    for progress in _acts[fields["seed"] // 100](asked):
        snapshots.append(Snapshot(time=progress, progress=progress))
        yield progress, fold


def executions(trace: Path, run: RunConfig) -> int:
    """Return how many times this run was begun, as far as `trace` says."""
    lines = trace.read_text().splitlines() if trace.exists() else []
    return sum(line.split()[0] == str(run.seed) for line in lines)


def _records(count):
    """Return an act that makes this many records."""

    def act(asked):
        for number in range(count):
            yield (number + 1) / count
            time.sleep(PAUSE)

    return act


def _then(break_off):
    """Return an act that makes records until what there is was asked for, and then breaks off.

    When it goes on after that, what was asked for has been sent: a run that breaks off has
    always shown something. It is never past its half.
    """

    def act(asked):
        number = 1
        while not asked:
            yield number / (2 * number + 2)
            time.sleep(PAUSE)
            number += 1
        break_off()

    return act


def _native():
    hashlib.pbkdf2_hmac("sha256", b"x", b"y", 2**31 - 1)  # minutes in C, without the GIL


def _hog():
    # No more than it takes: whoever is to stop it may be standing still.
    held = [bytearray(20 * 2**20) for _ in range(25)]
    time.sleep(1000)
    del held


def _bug():
    raise ZeroDivisionError("division by zero")


def _refuse():
    raise ConfigError("step_size=3 is above 2, where nothing converges.")


def _kill_worker():
    os.kill(multiprocessing.parent_process().pid, signal.SIGKILL)
    time.sleep(1000)


_acts = [
    _records(5),
    _records(LONG),
    _then(_native),
    _then(_hog),
    _then(lambda: os.kill(os.getpid(), signal.SIGKILL)),
    _then(_bug),
    _then(_refuse),
    _then(_kill_worker),
    _then(lambda: os._exit(3)),
    _records(0),
]


# ── real workers for the tests ───────────────────────────────────────────────────────────
PROJECT = Path(__file__).resolve().parent.parent


_started: list[subprocess.Popen] = []


def start_worker(root, *arguments, engine=ENGINE, **environment):
    """Start a worker process on `root` and return it; its standard input is a pipe."""
    paths = [str(PROJECT), str(PROJECT / "tests"), os.environ.get("PYTHONPATH", "")]
    worker = subprocess.Popen(
        [sys.executable, "-m", "lazycore.service.workers.worker", "--embedded", "--root", str(root)]
        + ["--engine", engine, *arguments],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=root,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "LAZYLAB_DEVICES": "cpu"}
        | {"LAZYLAB_TEST_TRACE": str(trace_of(root))}
        | environment,
    )
    _started.append(worker)
    return worker


def stop_worker(process, root):
    """End the worker in good order and assert that nothing of it is left."""
    process.stdin.close()
    process.wait(DEADLINE)
    assert_no_process_is_left(root)


def kill(worker):
    """kill −9 the worker process."""
    worker.kill()
    worker.wait(DEADLINE)
    worker.stdin.close()


def trace_of(root):
    return root / "trace.txt"


def processes_of(root):
    """Return every live process that descends from a worker on `root`, orphans included."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.environ().get("LAZYLAB_TEST_TRACE") == str(trace_of(root)):
                found.append(process)
        except psutil.Error:
            continue
    return found


def assert_no_process_is_left(root):
    until(lambda: not processes_of(root), "processes to end")


def until_in_native_call(pid):
    """Wait until this process computes in earnest; the Python part of a run mostly sleeps."""
    process = psutil.Process(pid)
    before = process.cpu_times().user
    until(lambda: process.cpu_times().user > before + 0.2, "the native call")


def kill_what_is_left(root):
    """Kill what a failed test has left running."""
    for process in processes_of(root):
        process.kill()
    while _started:
        kill(_started.pop())


def ended(queue, digest):
    """Return the job of `digest` once it has ended; as it is when it does not end."""
    return queue.wait(digest, DEADLINE)


def until(condition, what):
    """Return the first true value of `condition()`; fail when there is none for too long."""
    deadline = time.monotonic() + DEADLINE
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {DEADLINE:g} s for {what}"
        time.sleep(0.01)
    return value
