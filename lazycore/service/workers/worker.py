"""`python -m lazycore worker`: take jobs off the queue and compute them, a run and a sweep at a
time.

Without `--device` this starts one worker for each visible GPU, or one for the CPU, and
starts again whatever ends; with it, this process is that one worker. Killed in any way, it
leaves no process behind, and what it was running is taken up again by the next worker of
its name. DBOS is imported inside functions: children import this module again.
"""

import argparse
import contextlib
import itertools
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lazycore.errors import ConfigError, CorruptResult, JobError, LazyLabError, StoreFull
from lazycore.machine.processes import environment
from lazycore.running.refinement import first_answer, pace_of_second
from lazycore.running.timeleft import EVEN, POWERS, time_left
from lazycore.service import heartbeat
from lazycore.service.workers import child, devices, scratch
from lazycore.service.workers.children import Ended
from lazycore.service.workers.crew import Crew
from lazycore.service.workers.desk import Desk
from lazycore.service.workers.orphans import adopt
from lazycore.service.workers.supervisor import stop_event, supervise

if TYPE_CHECKING:
    from lazycore.config.run import RunConfig
    from lazycore.config.sweep import SweepConfig
    from lazycore.results.run import RunResult

BEAT_SECONDS = 1.0
MOST_REPORTS = 1000
"""Of its pace that are remembered of a job; ten come in a second."""
ADOPT_BEATS = 3
"""After how many of its beats a worker looks for jobs that nobody runs."""


# ── one job ──────────────────────────────────────────────────────────────────────────────
def step(desk: Desk, digest: str, ticket: str, fields: dict) -> dict:
    """Run one job to its end and return what it came to, as JSON for the queue's row.

    Its result is then in the store; of one that failed or was cancelled, what it had.
    """
    with desk.at_work(digest):
        note = {"progress": 0.0, "device": desk.device, "started_at": time.time()}
        try:
            state, message = _attempt(desk, digest, ticket, fields, note)
        except LazyLabError as error:
            state, message = "failed", str(error)
        except Exception as error:
            traceback.print_exc()
            state, message = "failed", f"The worker met with a bug: {type(error).__name__}: {error}"
    return note | {"state": state, "message": message, "finished_at": time.time()}


def _attempt(
    desk: Desk, digest: str, ticket: str, fields: dict, note: dict
) -> tuple[str, str | None]:
    store = desk.queue.store
    if (result := store.find(digest)) is not None:
        note |= _noted(result)
        return "done", None
    if store.has_whole_sweep(digest):
        return "done", None
    config = check(digest, fields)
    _say(desk, digest, note)

    begun, passed = time.monotonic(), []

    def show(share: float) -> None:
        if len(passed) >= MOST_REPORTS:
            del passed[::2]  # its pace is as well seen by half of them
        passed.append((time.monotonic() - begun, share))
        note["progress"] = share
        _say(desk, digest, note, eta_seconds=_time_left(fields, passed), eta_at=time.time())

    def is_wanted() -> bool:
        # A database that is busy for a moment is no reason to stop.
        with contextlib.suppress(JobError, StoreFull):
            return desk.queue.is_wanted(digest, ticket)
        return True

    ended = _compute(desk, config, fields, is_wanted, show)
    if ended.why == "result":
        _say(desk, digest, note, finished_at=time.time())
        note |= _keep(desk, config, ended.data or b"")
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


def _compute(
    desk: Desk,
    config: "RunConfig | SweepConfig",
    fields: dict,
    is_wanted: Callable[[], bool],
    show: Callable[[float], None],
) -> Ended:
    from lazycore.config.sweep import SweepConfig
    from lazycore.service.workers import sweepwork

    store = desk.queue.store
    if isinstance(config, SweepConfig):

        def advance() -> None:
            with contextlib.suppress(JobError, StoreFull):
                desk.queue.has_advanced(config.digest)

        return sweepwork.compute(
            store, desk.children, desk.limits, config, is_wanted, show, advance
        )

    def on_progress(share: float, data: bytes) -> None:
        if data:
            with contextlib.suppress(StoreFull):
                store.put_partial(config.digest, data)
        show(share)

    return desk.children.run(fields, desk.limits, is_wanted, on_progress)


def _time_left(fields: dict, passed: Sequence[tuple[float, float]]) -> float | None:
    """Return the seconds left of a job that has come to these (seconds, share)."""
    if fields.get("stop") not in (None, "none"):
        return None  # such a run ends when it has learned enough, which no pace foretells
    if "axes" in fields:
        return time_left(passed, EVEN)
    return time_left(pace_of_second(passed) if first_answer(fields) else passed, POWERS)


def check(digest: str, fields: dict) -> "RunConfig | SweepConfig":
    """Return the config of a queue row; raise for one that this worker may not compute."""
    from lazycore.config import kinds

    config = kinds.read(fields)
    if config.digest != digest:
        raise ConfigError(
            f"The job {digest} holds the config of another run ({config.digest}): its row in "
            "the queue was changed; submit the run again."
        )
    kinds.check(config)
    return config


def _say(desk: Desk, digest: str, note: dict, **more: object) -> None:
    # Of a full disk the run is told once there is a result to store.
    with contextlib.suppress(StoreFull):
        desk.queue.store.put_note(digest, note | more)


def _keep(desk: Desk, config: "RunConfig | SweepConfig", data: bytes) -> dict:
    """Store the result; return what is noted of it, so that lists need not read it."""
    from lazycore.config.sweep import SweepConfig
    from lazycore.results.run import RunResult

    digest, store = config.digest, desk.queue.store
    noted = {}
    if isinstance(config, SweepConfig):
        store.put_sweep(digest, data)
    elif (result := RunResult.from_bytes(data)).digest == digest:
        store.put(digest, data)
        noted = _noted(result)
    else:
        raise CorruptResult(f"The run {digest} came back as another one; this is a bug.")
    store.delete_partial(digest)
    return noted


def _noted(result: "RunResult") -> dict:
    return {"verdict": result.verdict} if result.status == "done" else {}


# ── one worker ───────────────────────────────────────────────────────────────────────────
def work(root: Path, runs: Crew, sweeps: Crew, stop: threading.Event) -> None:
    """Be the worker of one device until `stop` is set. Does not return: the process ends.

    Children for sweeps are there from the first sweep on.
    """
    device = runs.device
    name = heartbeat.worker_name(device)
    # A second worker of this name stands by and takes over when the first one ends.
    while (lock := heartbeat.claim(root, name)) is None:
        if stop.wait(0.5):
            os._exit(0)
    scratch.take(lock)
    heartbeat.tidy(root, name)
    os.environ |= environment(runs.threads)
    if device.startswith("cuda"):
        os.environ["CUDA_VISIBLE_DEVICES"] = devices.visible_alone(device)

    from lazycore.config import kinds
    from lazycore.service.queue import JobQueue

    queue = JobQueue(root)
    desk = Desk(queue, name, device, runs, devices.limits())
    desk.beside = Desk(queue, name, device, sweeps, devices.sweep_limits(), beside=desk)
    desks = {"run": desk, "sweep": desk.beside}

    def serve(digest: str, ticket: str, fields: dict) -> dict:
        return step(desks[kinds.kind_of(fields)], digest, ticket, fields)

    desk.beat()
    desk.queue.serve(name, serve)
    # Now, for the first job is not to wait for the import of torch; nor are signs of life.
    threading.Thread(target=runs.warm, daemon=True).start()
    suspects: set[str] = set()
    for beats in itertools.count(1):
        if stop.wait(BEAT_SECONDS):
            break
        desk.beat()
        if beats % ADOPT_BEATS == 0:
            suspects = adopt(desk, suspects)
    _leave(desk)
    lock.close()  # never reached: it holds the lock up to here


def _leave(desk: Desk) -> None:
    for digest in desk.in_hand:
        with contextlib.suppress(LazyLabError):
            desk.queue.give_back(digest)
    scratch.leave()
    heartbeat.stop_beating(desk.queue.root, desk.name)  # last: a job that ends now still beats
    # Without further ado: the children end with this process, the lock is let go with it.
    os._exit(0)


def main(argv: Sequence[str] | None = None, program: str = "lazycore worker") -> int:
    """Run the workers until told to stop; return the exit code."""
    from lazycore.machine.places import default_root

    parser = argparse.ArgumentParser(prog=program, description="Compute queued runs.")
    parser.add_argument("--root", type=Path, default=None, help="directory of queue and results")
    parser.add_argument("--device", help="be the one worker of cpu or cuda:N, in this process")
    parser.add_argument("--embedded", action="store_true", help="end when standard input closes")
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--sweep-threads", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--engine", default=child.ENGINE, help=argparse.SUPPRESS)
    parser.add_argument("--sweep-engine", default=child.SWEEP_ENGINE, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    root = (args.root or default_root()).resolve()
    devices.sweep_limits()  # a wrong limit is said here, once, not by each worker again
    stop = stop_event(args.embedded)
    if args.device:
        runs = Crew(args.engine, args.threads, args.device)
        sweeps = Crew(args.sweep_engine, args.sweep_threads, args.device)
        work(root, runs, sweeps, stop)
    engines = ["--engine", args.engine, "--sweep-engine", args.sweep_engine]
    supervise(root, devices.device_names(), engines, stop)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LazyLabError as error:
        sys.exit(str(error))
