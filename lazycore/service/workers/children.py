"""The worker's side of its children: one at work, watched and killed where need be, and one
standing by, warmed up, to take the next job."""

import contextlib
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import Any, Literal

import psutil

from lazycore.errors import JobError
from lazycore.service.workers import ahead, child
from lazycore.service.workers.child import ENGINE, PROGRESS_SECONDS, CellDone

WATCH_SECONDS = 0.05
WARM_UP_SECONDS = 180.0
FAMILY_SECONDS = 1.0
"""How often it is looked for what a child has started: that takes milliseconds."""

UNKNOWN_CODE = 255
"""The exit code of a child that nobody saw end: its fork server was killed before."""

_STARTING = threading.Lock()
"""A fork server that was killed is replaced in the midst of a start: one start at a time, or a
child is handed what was just closed; what it imports ahead is that start's affair too."""

Why = Literal["result", "error", "died", "cancelled", "time", "memory"]


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


class Child:
    """One child process and the pipe to it."""

    def __init__(self, engine: str, device: str, threads: int) -> None:
        # A CUDA context does not survive a fork; without one, a fork of a server that has
        # torch imported is ready in milliseconds.
        context: Any = multiprocessing.get_context("spawn" if "cuda" in device else "forkserver")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(
            target=child.main, args=(theirs, engine, device, threads), daemon=True
        )
        try:
            with _STARTING:
                if "cuda" not in device:
                    _have_imported_ahead(context, engine)
                self.process.start()
        except (OSError, EOFError) as error:
            self.pipe.close()
            raise JobError(f"The process that computes runs was not started: {error!r}.") from error
        finally:
            theirs.close()
        # Unlike `Process`, this knows a child whose fork server was killed to be alive.
        try:
            self.seen: psutil.Process | None = psutil.Process(self.process.pid)
        except psutil.NoSuchProcess:
            self.seen = None
        self._family: list[psutil.Process] = []
        self._look_at = 0.0

    @property
    def has_server(self) -> bool:
        """Whether `process` tells how the child is: not once its fork server is gone."""
        return self.process.is_alive() or not self.is_alive

    @property
    def is_alive(self) -> bool:
        """Whether the child lives, with or without the fork server that it came from."""
        if self.process.is_alive():
            return True
        try:
            if self.seen is None or not self.seen.is_running():
                return False
            return self.seen.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def kill(self) -> None:
        if self.seen is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                self.seen.kill()
        self.process.join(30)
        self.pipe.close()

    def memory(self) -> int:
        """Return the bytes of memory that the child and what it started hold, 0 when gone."""
        return sum(map(_held, self._processes()))

    def _processes(self) -> list[psutil.Process]:
        """Return the child and the processes that it has started, as of a second ago."""
        if self.seen is None:
            return []
        now = time.monotonic()
        if now >= self._look_at:
            with contextlib.suppress(psutil.NoSuchProcess):
                self._family = self.seen.children(recursive=True)
            self._look_at = now + FAMILY_SECONDS
        return [self.seen, *self._family]

    def epitaph(self) -> str:
        """Return a sentence on how the child died: its own last words, or else what is known."""
        self.process.join(30)
        with contextlib.suppress(OSError, EOFError):
            while self.pipe.poll():
                head = json.loads(self.pipe.recv_bytes().partition(b"\n")[0])
                if head["kind"] == "broken":
                    return head["message"]
        code = self.process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = "; the machine may have run out of memory" if name == "SIGKILL" else ""
            return f"The process that computed this run was killed ({name}{hint}); run it again."
        if code == UNKNOWN_CODE:
            return "The process that computed this run was killed; run it again."
        return f"The process that computed this run ended by itself (exit code {code})."


def _have_imported_ahead(context: Any, engine: str) -> None:
    """Say what the fork server imports where this child is its first."""
    module = "lazycore.running.run" if engine == ENGINE else engine.split(":")[0]
    os.environ[ahead.VARIABLE] = module
    context.set_forkserver_preload([child.__name__, ahead.__name__])


def _held(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


class Children:
    """A child at work and one standing by; `run` is for one thread at a time."""

    def __init__(self, device: str, threads: int, engine: str = ENGINE) -> None:
        self._new: Callable[[], Child] = lambda: _started(engine, device, threads)
        self._active = self._new()
        self._standby: Child | None = self._new()

    def close(self) -> None:
        for one in filter(None, (self._active, self._standby)):
            one.kill()

    def pids(self) -> list[int | None]:
        """Return the process ids of the child at work and of the one standing by."""
        both = (self._active, self._standby)
        return [one.process.pid for one in filter(None, both)]

    def run(
        self,
        fields: dict,
        limits: Limits,
        is_wanted: Callable[[], bool],
        on_progress: Callable[[float, bytes], None],
        on_cell: Callable[[CellDone], None] | None = None,
    ) -> Ended:
        """Compute one job and return how it ended. `on_progress` is given how far it is and what
        it has, empty where that is no news; `on_cell` each cell of a sweep.

        `is_wanted` is asked ten times a second; once it says no, the child is killed. On a
        limit it is killed too. Whenever a child is lost the one standing by takes its place.
        """
        if not self._active.is_alive:
            self._replace()
        self._stand_by()
        try:
            ended = _watch(self._active, fields, limits, is_wanted, on_progress, on_cell)
        except BaseException:
            # Still computing: its result must not be taken for the next job's.
            self._replace()
            raise
        if ended.why not in ("result", "error") or self._active.memory() > limits.bytes / 2:
            # How this job ended is not to be lost for want of a child for the next.
            with contextlib.suppress(JobError):
                self._replace()
        return ended

    def _replace(self) -> None:
        self._active.kill()
        standby, self._standby = self._standby, None
        self._active = standby if standby and standby.is_alive else self._new()
        self._stand_by()

    def _stand_by(self) -> None:
        """Have a child stand by, unless it cannot be started now: then it goes on without."""
        if self._standby is None or not self._standby.is_alive:
            with contextlib.suppress(JobError):
                self._standby = self._new()


def _started(engine: str, device: str, threads: int) -> Child:
    """Return a new child. The fork server can be killed in the moment in which it is asked for
    one; asked once more, there is another."""
    with contextlib.suppress(JobError):
        return Child(engine, device, threads)
    return Child(engine, device, threads)


def _watch(
    at_work: Child,
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
        at_work.pipe.send_bytes(json.dumps(fields).encode())
    except OSError:
        return Ended("died", None, at_work.epitaph())
    while True:
        # The sentinel of a child whose fork server is gone is ready all the time.
        ends = [at_work.process.sentinel] if at_work.has_server else []
        wait([at_work.pipe, *ends], WATCH_SECONDS)
        if at_work.pipe.poll():
            try:
                line, _, payload = at_work.pipe.recv_bytes().partition(b"\n")
                head = json.loads(line)
            except (EOFError, OSError):
                return Ended("died", data, at_work.epitaph())
            except ValueError:
                return Ended("died", data, _GARBLED)
            if head["kind"] == "broken":
                return Ended("died", data, head["message"])
            if head["kind"] == "begun":
                ends_at = time.monotonic() + limits.seconds
            elif head["kind"] == "progress":
                data = payload or data
                on_progress(head["progress"], payload)
            elif head["kind"] == "cell" and on_cell:
                on_cell(CellDone(head["digest"], payload, head["message"]))
            else:
                return Ended(head["kind"], payload or data, head.get("message"))
        elif not at_work.is_alive:
            return Ended("died", data, at_work.epitaph())
        if (now := time.monotonic()) >= ask_at:
            if not is_wanted():
                return Ended("cancelled", data)
            ask_at = now + PROGRESS_SECONDS
        if now >= ends_at:
            return Ended("time", data, _over_time(limits))
        if at_work.memory() > limits.bytes:
            return Ended("memory", data, _over_memory(limits))


_GARBLED = (
    "What the process that computed this run said could not be read: it or what it came from "
    "was killed; run it again."
)


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
