"""`python -m lazycore.worker`: take runs off the queue and compute them, one at a time.

Without `--device` this starts one worker for each visible GPU, or one for the CPU, and
starts again whatever ends; with it, this process is that one worker. Killed in any way, it
leaves no process behind, and what it was running is taken up again by the next worker of
its name. DBOS is imported inside functions: children import this module again.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lazycore import child, devices, heartbeat
from lazycore.errors import ConfigError, CorruptResult, JobError, LazyLabError, StoreFull

if TYPE_CHECKING:
    from lazycore.jobs import JobQueue

PROJECT = Path(__file__).resolve().parent.parent
BEAT_SECONDS = 1.0
RESTART_SECONDS = (0.5, 30.0)
"""A worker that ended is started again when this long has passed since it was last started;
twice as long each time, up to the second number, after which it counts as having worked."""


@dataclass
class Desk:
    """What a worker works with: its queue and children, its name, what it is busy with."""

    queue: "JobQueue"
    name: str
    device: str
    children: child.Children
    limits: child.Limits
    busy_with: str | None = None

    def beat(self) -> None:
        heartbeat.beat(self.queue.root, self.name, self.device, self.busy_with)


# ── one job ──────────────────────────────────────────────────────────────────────────────
def step(desk: Desk, digest: str, ticket: str, fields: dict) -> dict:
    """Run one job to its end and return what it came to, as JSON for the queue's row.

    Its result is then in the store; of one that failed or was cancelled, what it had.
    """
    desk.busy_with = digest
    desk.beat()
    note = {"progress": 0.0, "device": desk.device, "started_at": time.time()}
    try:
        state, message = _attempt(desk, digest, ticket, fields, note)
    except LazyLabError as error:
        state, message = "failed", str(error)
    finally:
        desk.busy_with = None
        desk.beat()
    return note | {"state": state, "message": message, "finished_at": time.time()}


def _attempt(
    desk: Desk, digest: str, ticket: str, fields: dict, note: dict
) -> tuple[str, str | None]:
    if desk.queue.store.has_whole(digest):
        return "done", None
    check(digest, fields)
    _say(desk, digest, note)

    first: tuple[float, float] | None = None

    def on_progress(share: float, data: bytes) -> None:
        nonlocal first
        first = first or (time.monotonic(), share)
        note["progress"] = share
        with contextlib.suppress(StoreFull):
            desk.queue.store.put_partial(digest, data)
        _say(desk, digest, note, eta_seconds=_time_left(*first, share))

    def is_wanted() -> bool:
        # A database that is busy for a moment is no reason to stop.
        with contextlib.suppress(JobError, StoreFull):
            return desk.queue.is_wanted(digest, ticket)
        return True

    ended = desk.children.run(fields, desk.limits, is_wanted, on_progress)
    if ended.why == "result":
        _say(desk, digest, note, finished_at=time.time())
        _keep(desk, digest, ended.data or b"")
        return "done", None
    if ended.why == "cancelled":
        job = desk.queue.get(digest)
        if job is None:
            # Deleted, perhaps before the last that was kept of it.
            desk.queue.store.delete_partial(digest)
            desk.queue.store.delete_note(digest)
        elif job.state == "cancelled":
            kept = "what it had computed is kept" if ended.data else "it had computed nothing yet"
            _say(desk, digest, note, message=f"Cancelled; {kept}.", finished_at=time.time())
        return "cancelled", None
    return "failed", ended.message


def _time_left(since: float, from_share: float, share: float) -> float | None:
    """Return the seconds left at the pace kept `since` the share was `from_share`; what came
    before that was the child warming up."""
    if share <= from_share:
        return None
    return (time.monotonic() - since) * (1 - share) / (share - from_share)


def check(digest: str, fields: dict) -> None:
    """Raise for a queue row that is not a run this worker may compute."""
    from lazycore import budget
    from lazycore.config import RunConfig

    config = RunConfig.from_dict(fields)
    if config.digest != digest:
        raise ConfigError(
            f"The job {digest} holds the config of another run ({config.digest}): its row in "
            "the queue was changed; submit the run again."
        )
    budget.check(config)


def _say(desk: Desk, digest: str, note: dict, **more: object) -> None:
    # Of a full disk the run is told once there is a result to store.
    with contextlib.suppress(StoreFull):
        desk.queue.store.put_note(digest, note | more)


def _keep(desk: Desk, digest: str, data: bytes) -> None:
    from lazycore.results import RunResult

    if RunResult.from_bytes(data).digest != digest:
        raise CorruptResult(f"The run {digest} came back as another one; this is a bug.")
    desk.queue.store.put(digest, data)
    desk.queue.store.delete_partial(digest)


# ── one worker ───────────────────────────────────────────────────────────────────────────
def work(root: Path, device: str, threads: int, engine: str, stop: threading.Event) -> None:
    """Be the worker of `device` until `stop` is set. Does not return: the process ends."""
    name = heartbeat.worker_name(device)
    # A second worker of this name stands by and takes over when the first one ends.
    while (lock := heartbeat.claim(root, name)) is None:
        if stop.wait(0.5):
            os._exit(0)
    pools = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    os.environ |= dict.fromkeys(pools, str(threads))
    if device.startswith("cuda"):
        os.environ["CUDA_VISIBLE_DEVICES"] = devices.visible_alone(device)
    children = child.Children("cpu" if device == "cpu" else "cuda:0", threads, engine)

    from lazycore.jobs import JobQueue

    desk = Desk(JobQueue(root), name, device, children, devices.limits())
    desk.beat()
    desk.queue.serve(name, lambda digest, ticket, fields: step(desk, digest, ticket, fields))
    suspects: set[str] = set()
    while not stop.wait(BEAT_SECONDS):
        desk.beat()
        suspects = adopt(desk, suspects)
    _leave(desk)
    lock.close()


def adopt(desk: Desk, suspects: set[str]) -> set[str]:
    """Put running jobs that nobody runs back into the queue; return those that look so.

    Only what looked so at the last call too: a job is for a moment in nobody's hands when it
    is taken off the queue and when it ends. Nobody runs what a worker that is gone had begun
    (a GPU that was taken out), nor what this one had to drop because the disk was full.
    """
    orphans: set[str] = set()
    with contextlib.suppress(JobError, StoreFull):
        for digest, name in desk.queue.running():
            if name == desk.name and digest != desk.busy_with:
                orphans.add(digest)
                if digest in suspects:
                    desk.queue.give_back(digest)
            elif name != desk.name and _is_gone(desk.queue.root, name):
                orphans.add(digest)
                if digest in suspects:
                    desk.queue.take_over(name)
    return orphans


def _is_gone(root: Path, name: str) -> bool:
    lock = heartbeat.claim(root, name)
    if lock is None:
        return False
    lock.close()
    return True


def _leave(desk: Desk) -> None:
    if desk.busy_with is not None:
        with contextlib.suppress(LazyLabError):
            desk.queue.give_back(desk.busy_with)
    heartbeat.stop_beating(desk.queue.root, desk.name)
    # Without further ado: the children end with this process, the lock is let go with it.
    os._exit(0)


# ── one per device ───────────────────────────────────────────────────────────────────────
def supervise(root: Path, names: Sequence[str], engine: str, stop: threading.Event) -> None:
    """Keep one worker process per device until `stop` is set, then end them all.

    A worker ends when its standard input closes, so none outlives this process.
    """
    threads = devices.threads_each(len(names))
    paths = [str(PROJECT), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def start(device: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "lazycore.worker", "--embedded", "--device", device]
        command += ["--root", str(root), "--threads", str(threads), "--engine", engine]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, env=environment, start_new_session=True
        )

    running = {device: start(device) for device in names}
    started = dict.fromkeys(names, time.monotonic())
    pause = dict.fromkeys(names, RESTART_SECONDS[0])
    while not stop.wait(0.1):
        for device, process in running.items():
            lived = time.monotonic() - started[device]
            if lived > RESTART_SECONDS[1]:
                pause[device] = RESTART_SECONDS[0]
            if process.poll() is not None and lived > pause[device]:
                # What cannot even start, the disk being full, must not take a core for trying.
                pause[device] = min(2 * pause[device], RESTART_SECONDS[1])
                running[device], started[device] = start(device), time.monotonic()
    for process in running.values():
        if process.stdin:
            process.stdin.close()
    for process in running.values():
        _end(process)


def _end(process: subprocess.Popen) -> None:
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def stop_event(embedded: bool) -> threading.Event:
    """Return an event that is set on SIGTERM, SIGINT and, embedded, when stdin closes."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    def until_closed() -> None:
        while os.read(0, 4096):
            pass
        stop.set()

    if embedded:
        threading.Thread(target=until_closed, daemon=True).start()
    return stop


def main(argv: Sequence[str] | None = None) -> int:
    """Run the workers until told to stop; return the exit code."""
    from lazycore.store import default_root

    parser = argparse.ArgumentParser(prog="lazycore worker", description="Compute queued runs.")
    parser.add_argument("--root", type=Path, default=None, help="directory of queue and results")
    parser.add_argument("--device", help="be the one worker of cpu or cuda:N, in this process")
    parser.add_argument("--embedded", action="store_true", help="end when standard input closes")
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--engine", default=child.ENGINE, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    root = (args.root or default_root()).resolve()
    devices.limits()  # a wrong limit is said here, once, not by each worker again
    stop = stop_event(args.embedded)
    if args.device:
        work(root, args.device, args.threads, args.engine, stop)
    supervise(root, devices.device_names(), args.engine, stop)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LazyLabError as error:
        sys.exit(str(error))
