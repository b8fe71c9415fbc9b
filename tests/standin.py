"""Runs that behave badly on purpose: an engine for the tests of child, worker and queue.

What a run does is chosen by the hundreds of its seed. Each execution leaves a line in the
file $LAZYLAB_TEST_TRACE, so that a test can count them.
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

from lazycore.config import RunConfig
from lazycore.errors import ConfigError
from lazycore.results import RunResult, Snapshot

QUICK, SLOW, NATIVE, HOG, CRASH, BUG, REFUSE, KILLER, EXIT, SILENT = (100 * i for i in range(10))
ENGINE = "standin:engine"


def config(kind: int, number: int = 0) -> RunConfig:
    """Return the config of the `number`th run of this kind."""
    return RunConfig(seed=kind + number)


def result(run: RunConfig, records: int = 5) -> bytes:
    """Return the bytes of a whole, if empty, result of this run."""
    return RunResult.collect(run, [Snapshot(time=float(i)) for i in range(records)]).to_bytes()


def engine(fields, device):
    """Do what the seed says, in the manner of `lazycore.child.training`."""
    trace = os.environ.get("LAZYLAB_TEST_TRACE")
    if trace:
        with open(trace, "a") as file:
            gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "any")
            file.write(f"{fields['seed']} {os.getpid()} {device} {gpus}\n")
    run = RunConfig.from_dict(fields)
    snapshots = []

    def fold(status):
        return RunResult.collect(run, snapshots, status=status).to_bytes()

    for progress in _acts[fields["seed"] // 100]():
        snapshots.append(Snapshot(time=progress, progress=progress))
        yield progress, fold


def executions(trace: Path, run: RunConfig) -> int:
    """Return how many times this run was begun, as far as `trace` says."""
    lines = trace.read_text().splitlines() if trace.exists() else []
    return sum(line.split()[0] == str(run.seed) for line in lines)


def _for(seconds, pause=0.01):
    begun = time.monotonic()
    while (spent := time.monotonic() - begun) < seconds:
        yield spent / seconds
        time.sleep(pause)
    yield 1.0


def _then(act):
    def behave():
        yield from _for(0.3)
        act()

    return behave


def _native():
    hashlib.pbkdf2_hmac("sha256", b"x", b"y", 10**9)  # minutes in C, without the GIL


def _hog():
    held = []
    while True:
        held.append(bytearray(20 * 2**20))
        time.sleep(0.02)


def _bug():
    raise ZeroDivisionError("division by zero")


def _refuse():
    raise ConfigError("step_size=3 is above 2, where nothing converges.")


def _kill_worker():
    os.kill(multiprocessing.parent_process().pid, signal.SIGKILL)
    time.sleep(60)


_acts = [
    lambda: _for(0.05),
    lambda: _for(60),
    _then(_native),
    _then(_hog),
    _then(lambda: os.kill(os.getpid(), signal.SIGKILL)),
    _then(_bug),
    _then(_refuse),
    _then(_kill_worker),
    _then(lambda: os._exit(3)),
    lambda: iter(()),
]


# ── real workers for the tests ───────────────────────────────────────────────────────────
PROJECT = Path(__file__).resolve().parent.parent


_started: list[subprocess.Popen] = []


def start_worker(root, *arguments, engine=ENGINE, **environment):
    """Start a worker process on `root` and return it; its standard input is a pipe."""
    paths = [str(PROJECT), str(PROJECT / "tests"), os.environ.get("PYTHONPATH", "")]
    worker = subprocess.Popen(
        [sys.executable, "-m", "lazycore.worker", "--embedded", "--root", str(root)]
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
    process.wait(10)
    assert_no_process_is_left(root)


def kill(worker):
    """kill −9 the worker process."""
    worker.kill()
    worker.wait(5)
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


def assert_no_process_is_left(root, within=3.0):
    until(lambda: not processes_of(root), within, "processes to end")


def kill_what_is_left(root):
    """Kill what a failed test has left running."""
    for process in processes_of(root):
        process.kill()
    while _started:
        kill(_started.pop())


def until(condition, within, what):
    """Return the first true value of `condition()`; fail after `within` seconds."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {within} s for {what}"
        time.sleep(0.01)
    return value
