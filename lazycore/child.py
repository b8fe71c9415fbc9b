"""The warm child in which runs and sweeps are computed: it can be killed at any instant, and is.

A native torch call cannot be interrupted from within, so cancelling is SIGKILL from outside
and loses nothing: the child sends what it has so far ten times a second. A second child
stands by, warmed up, to take the next job. Over the pipe go frames of bytes: one line of
JSON, then a payload; nothing is unpickled from it.
"""

import contextlib
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
from typing import Any, Literal

import psutil

from lazycore.errors import LazyLabError

ENGINE = "lazycore.child:training"
"""Module and function that compute a run: the function yields, after each record, the share
of the work done and a function that folds what there is into the bytes of a result."""
SWEEP_ENGINE = "lazycore.sweepchild:computing"
"""The same for a sweep: the function yields a `CellDone` for each of its cells."""

PROGRESS_SECONDS = 0.1
WATCH_SECONDS = 0.05
WARM_UP_SECONDS = 180.0

Fold = Callable[[str | None], bytes]
Why = Literal["result", "error", "died", "cancelled", "time", "memory"]


@dataclass(frozen=True)
class CellDone:
    """The bytes of a cell's run; none, and why, where it failed."""

    digest: str
    data: bytes
    message: str | None = None


@dataclass(frozen=True)
class Limits:
    """What one job may take."""

    seconds: float
    bytes: float


@dataclass(frozen=True)
class Ended:
    """How a job ended: the bytes of its result, or of what it had so far, and why."""

    why: Why
    data: bytes | None
    message: str | None = None


# ── in the child ─────────────────────────────────────────────────────────────────────────
def training(fields: dict, device: str) -> Iterator[tuple[float, Fold]]:
    """Compute the run of these fields, yielding (progress, fold) after each snapshot."""
    from lazycore.config import RunConfig
    from lazycore.results import RunResult, Snapshot
    from lazycore.training import train

    config = RunConfig.from_dict(fields)
    snapshots: list[Snapshot] = []

    def fold(status: str | None) -> bytes:
        return RunResult.collect(config, snapshots, status=status).to_bytes()

    for snapshot in train(config, device=device):
        snapshots.append(snapshot)
        yield snapshot.progress, fold


def warm_up(device: str, threads: int) -> None:
    """Import the engine, fix its number of threads and wake the device."""
    import torch

    importlib.import_module("lazycore.training")
    # Two torch threads on a busy two-core machine were ten times slower than one.
    torch.set_num_threads(threads)
    torch.ones(8, 8, device=device, dtype=torch.float64).sum().item()


def main(pipe: Connection, engine: str, device: str, threads: int) -> None:
    """Serve jobs from `pipe` until the parent is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's to handle
    module_name, function = engine.split(":")
    module = importlib.import_module(module_name)
    if hasattr(module, "warm_up"):
        module.warm_up(device, threads)
    while True:
        try:
            fields = json.loads(pipe.recv_bytes())
        except EOFError:
            return
        _send(pipe, {"kind": "begun"})
        _compute(pipe, getattr(module, function), fields, device)


def _compute(pipe: Connection, engine: Callable, fields: dict, device: str) -> None:
    fold: Fold = _nothing
    due = time.monotonic() + PROGRESS_SECONDS
    try:
        for item in engine(fields, device):
            if isinstance(item, CellDone):
                head = {"kind": "cell", "digest": item.digest, "message": item.message}
                _send(pipe, head, item.data)
                fold = _no_more
                continue
            progress, fold = item
            begun = time.monotonic()
            if begun >= due:
                _send(pipe, {"kind": "progress", "progress": progress}, fold("cancelled"))
                done = time.monotonic()
                # Folding a long run is slow; it may take a tenth of the time, not more.
                due = done + max(PROGRESS_SECONDS, 9 * (done - begun))
        _send(pipe, {"kind": "result"}, fold(None))
    except LazyLabError as error:
        _send(pipe, {"kind": "error", "message": str(error)})
    # The program's one broad catch: whatever a run does, its child lives to run the next.
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
        os.kill(os.getpid(), signal.SIGKILL)


# ── in the worker ────────────────────────────────────────────────────────────────────────
class Child:
    """One child process and the pipe to it."""

    def __init__(self, engine: str, device: str, threads: int) -> None:
        # A CUDA context does not survive a fork; without one, a fork of a server that has
        # torch imported is ready in milliseconds.
        context: Any = multiprocessing.get_context("spawn" if "cuda" in device else "forkserver")
        if "cuda" not in device:
            engine_module = engine.split(":")[0]
            preload = "lazycore.training" if engine == ENGINE else engine_module
            context.set_forkserver_preload([__name__, preload])
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=main, args=(theirs, engine, device, threads), daemon=True
        )
        self.process.start()
        theirs.close()
        # Unlike `Process`, this knows a child whose fork server was killed to be alive.
        try:
            self.seen: psutil.Process | None = psutil.Process(self.process.pid)
        except psutil.NoSuchProcess:
            self.seen = None

    def kill(self) -> None:
        if self.seen is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                self.seen.kill()
        self.process.join(30)
        self.pipe.close()

    def memory(self) -> int:
        """Return the bytes of memory the child holds, 0 when it is gone."""
        if self.seen is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                return self.seen.memory_info().rss
        return 0

    def epitaph(self) -> str:
        """Return a sentence on how the child died."""
        self.process.join(30)
        code = self.process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = "; the machine may have run out of memory" if name == "SIGKILL" else ""
            return f"The process that computed this run was killed ({name}{hint}); run it again."
        return f"The process that computed this run ended by itself (exit code {code})."


class Children:
    """A child at work and one standing by; `run` is for one thread at a time."""

    def __init__(self, device: str, threads: int, engine: str = ENGINE) -> None:
        self._new: Callable[[], Child] = lambda: Child(engine, device, threads)
        self._active = self._new()
        self._standby = self._new()

    def close(self) -> None:
        for child in (self._active, self._standby):
            child.kill()

    def pids(self) -> list[int | None]:
        """Return the process ids of the child at work and of the one standing by."""
        return [self._active.process.pid, self._standby.process.pid]

    def run(
        self,
        fields: dict,
        limits: Limits,
        is_wanted: Callable[[], bool],
        on_progress: Callable[[float, bytes], None],
        on_cell: Callable[[CellDone], None] | None = None,
    ) -> Ended:
        """Compute one job and return how it ended. `on_cell` is given each cell of a sweep.

        `is_wanted` is asked ten times a second; once it says no, the child is killed. On a
        limit it is killed too. Whenever a child is lost the one standing by takes its place.
        """
        if not self._active.process.is_alive():
            self._replace()
        try:
            ended = _watch(self._active, fields, limits, is_wanted, on_progress, on_cell)
        except BaseException:
            # Still computing: its result must not be taken for the next job's.
            self._replace()
            raise
        if ended.why not in ("result", "error") or self._active.memory() > limits.bytes / 2:
            self._replace()
        return ended

    def _replace(self) -> None:
        self._active.kill()
        self._active = self._standby
        self._standby = self._new()


def _watch(
    child: Child,
    fields: dict,
    limits: Limits,
    is_wanted: Callable[[], bool],
    on_progress: Callable[[float, bytes], None],
    on_cell: Callable[[CellDone], None] | None,
) -> Ended:
    data: bytes | None = None
    ask_at = time.monotonic() + PROGRESS_SECONDS
    ends_at = time.monotonic() + WARM_UP_SECONDS
    try:
        child.pipe.send_bytes(json.dumps(fields).encode())
    except OSError:
        return Ended("died", None, child.epitaph())
    while True:
        wait([child.pipe, child.process.sentinel], WATCH_SECONDS)
        if child.pipe.poll():
            try:
                line, _, payload = child.pipe.recv_bytes().partition(b"\n")
            except (EOFError, OSError):
                return Ended("died", data, child.epitaph())
            head = json.loads(line)
            if head["kind"] == "begun":
                ends_at = time.monotonic() + limits.seconds
            elif head["kind"] == "progress":
                data = payload
                on_progress(head["progress"], payload)
            elif head["kind"] == "cell" and on_cell:
                on_cell(CellDone(head["digest"], payload, head["message"]))
            else:
                return Ended(head["kind"], payload or data, head.get("message"))
        elif not child.process.is_alive():
            return Ended("died", data, child.epitaph())
        if (now := time.monotonic()) >= ask_at:
            if not is_wanted():
                return Ended("cancelled", data)
            ask_at = now + PROGRESS_SECONDS
        if now >= ends_at:
            return Ended("time", data, _over_time(limits))
        if child.memory() > limits.bytes:
            return Ended("memory", data, _over_memory(limits))


def _over_time(limits: Limits) -> str:
    return (
        f"The run was stopped at its limit of {limits.seconds:g} s; the curve up to there is "
        "kept. Lower time, steps, width or n_train."
    )


def _over_memory(limits: Limits) -> str:
    return (
        f"The run was stopped at its memory limit of {limits.bytes / 2**20:,.0f} MB; the curve "
        "up to there is kept. Lower width, depth or n_train."
    )
