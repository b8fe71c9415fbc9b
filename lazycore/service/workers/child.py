"""The warm child in which runs and sweeps are computed: it can be killed at any instant, and is.

A native torch call cannot be interrupted from within, so cancelling is SIGKILL from outside
and loses nothing: the child sends what it has so far ten times a second. Over the pipe go
frames of bytes: one line of JSON, then a payload; nothing is unpickled from it.
"""

import importlib
import json
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from lazycore.errors import LazyLabError
from lazycore.machine.processes import keep_freed_memory
from lazycore.service.workers import scratch

ENGINE = "lazycore.service.workers.child:training"
"""Module and function that compute a run: the function yields, after each record, the share
of the work done and a function that folds what there is into the bytes of a result."""
SWEEP_ENGINE = "lazycore.service.workers.sweepchild:computing"
"""The same for a sweep: the function yields a `CellDone` for each of its cells."""

TINY: dict[str, Any] = {
    "n_train": 4,
    "n_test": 4,
    "dim": 2,
    "width": 4,
    "time": 1.0,
    "tolerance": 0.1,
}
"""The run that warms a child up."""

PROGRESS_SECONDS = 0.1

Fold = Callable[[str | None], bytes]


@dataclass(frozen=True)
class CellDone:
    """The bytes of a cell's run; none, and why, where it failed."""

    digest: str
    data: bytes
    message: str | None = None


@dataclass(frozen=True)
class FirstAnswer:
    """The bytes of a whole first answer, which are sent at once; more are not until the second."""

    progress: float
    data: bytes


def training(fields: dict, device: str) -> Iterator[tuple[float, Fold] | FirstAnswer]:
    """Compute the run of these fields, yielding (progress, fold) whenever it has come further."""
    import torch

    from lazycore.config.run import RunConfig
    from lazycore.results.run import RunResult, Snapshot
    from lazycore.running.refinement import SHARE
    from lazycore.running.run import train

    config = RunConfig.from_dict(fields)
    snapshots: list[Snapshot] = []

    def fold(status: str | None) -> bytes:
        return RunResult.collect(config, snapshots, status=status).to_bytes()

    threads = torch.get_num_threads()
    for snapshot in train(config, device=device, threads=threads, refine=True):
        snapshots.append(snapshot)
        if snapshot.first and snapshot.progress >= SHARE:
            yield FirstAnswer(snapshot.progress, fold("cancelled"))
        if not snapshot.more:  # else what is sent would be behind by those that are there too
            yield snapshot.progress, fold


def warm_up(device: str, threads: int) -> None:
    """Import the engine, fix its number of threads, wake the device and compute a tiny run.

    What the first run of a process imports would cost the first click half a second.
    """
    import torch

    from lazycore.config.run import RunConfig

    keep_freed_memory()
    engine = importlib.import_module("lazycore.running.run")
    # Two torch threads on a busy two-core machine were ten times slower than one.
    torch.set_num_threads(threads)
    torch.ones(8, 8, device=device, dtype=torch.float64).sum().item()
    for _ in engine.train(RunConfig(**TINY), device=device, threads=threads):
        pass


def main(pipe: Connection, engine: str, device: str, threads: int) -> None:
    """Serve jobs from `pipe` until the parent is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's to handle
    module_name, function = engine.split(":")
    # Whatever keeps it from starting: the one who waits for its run is told.
    try:
        module = importlib.import_module(module_name)
        if hasattr(module, "warm_up"):
            module.warm_up(device, threads)
    except Exception as error:
        traceback.print_exc()
        said = f"The process that computes runs cannot start: {type(error).__name__}: {error}"
        _send(pipe, {"kind": "broken", "message": said[:500]})
        return
    while True:
        try:
            fields = json.loads(pipe.recv_bytes())
        except EOFError:
            return
        _send(pipe, {"kind": "begun"})
        _compute(pipe, getattr(module, function), fields, device)


def _compute(pipe: Connection, engine: Callable, fields: dict, device: str) -> None:
    fold: Fold = _nothing
    is_answered = False
    due = time.monotonic() + PROGRESS_SECONDS
    try:
        for item in engine(fields, device):
            if isinstance(item, CellDone):
                head = {"kind": "cell", "digest": item.digest, "message": item.message}
                _send(pipe, head, item.data)
                fold = _no_more
                continue
            if isinstance(item, FirstAnswer):
                is_answered = True
                _send(pipe, {"kind": "progress", "progress": item.progress}, item.data)
                continue
            progress, fold = item
            begun = time.monotonic()
            if begun >= due:
                # Until the second answer is whole there is no news but how far it is.
                news = b"" if is_answered else fold("cancelled")
                _send(pipe, {"kind": "progress", "progress": progress}, news)
                done = time.monotonic()
                # Folding a long run is slow; it may take a tenth of the time, not more.
                due = done + max(PROGRESS_SECONDS, 9 * (done - begun))
        _send(pipe, {"kind": "result"}, fold(None))
    except LazyLabError as error:
        _send(pipe, {"kind": "error", "message": str(error)})
    # Whatever a run does, its child lives to run the next.
    except Exception as error:
        traceback.print_exc()
        said = f"The run broke off with a bug: {type(error).__name__}: {error}"
        _send(pipe, {"kind": "error", "message": said[:500]})


def _nothing(status: str | None) -> bytes:
    raise RuntimeError("the engine recorded nothing")


def _no_more(status: str | None) -> bytes:
    return b""


def _send(pipe: Connection, head: dict, payload: bytes = b"") -> None:
    pipe.send_bytes(json.dumps(head).encode() + b"\n" + payload)


def _end_with_parent() -> None:
    """Die with the worker, however it dies and whatever native call this process is in."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        scratch.leave()
        os.kill(os.getpid(), signal.SIGKILL)
