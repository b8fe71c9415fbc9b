"""How many threads a computation has, whatever the caller's process is set to.

Threads of torch spin while they wait for one another: beside other work a run took 72 s on two
of them that takes 1.65 s on one, and a step of 0.55 s of a convolutional network 3 s
(docs/log/speed.md, 2026-11-27 and 2026-11-28). So a run has one, and further cores are used by
further processes (`lanes`).
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from threadpoolctl import ThreadpoolController

from lazycore.errors import ConfigError

MOST = 1024

_GIVEN = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS")


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_threads(count: object) -> int:
    """Return a number of threads that there can be; `ConfigError` for any other."""
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
        raise ConfigError(
            f"threads={count!r} is not allowed: give a whole number from 1 to {MOST} "
            f"(this process may use {cores()})."
        )
    return count


@contextmanager
def threads(count: int = 1) -> Iterator[None]:
    """Have torch work on so many threads here, and numpy's products on one; both are as they
    were afterwards.

    torch's number belongs to the thread that sets it and to those that begin later; numpy's pool
    is one for the process, and gets its threads back when the last who computes has left.
    """
    before = torch.get_num_threads()
    if before != count:
        torch.set_num_threads(count)
    _NUMPY.enter()
    try:
        yield
    finally:
        _NUMPY.leave()
        if before != count:
            torch.set_num_threads(before)


def numpy_has_one() -> bool:
    """Whether numpy's products have one thread now: then they keep out of torch's way."""
    return _GIVEN == "1" or _NUMPY.held or os.cpu_count() == 1


class _NumpyPool:
    """The pool of numpy's BLAS, at one thread while anything computes in this process."""

    def __init__(self) -> None:
        self.inside, self.lock = 0, threading.Lock()
        self.found: list[int] = []

    @property
    def held(self) -> bool:
        return bool(self.found)

    def enter(self) -> None:
        with self.lock:
            self.inside += 1
            if self.inside == 1:
                self.found = [pool.get_num_threads() for pool in _pools()]
                _set([1] * len(self.found))

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                _set(self.found)
                self.found = []


_NUMPY = _NumpyPool()


@cache
def _pools() -> list[Any]:
    """Return what sets the pools of numpy's BLAS; none where its threads cannot be set."""
    return ThreadpoolController().select(user_api="blas").lib_controllers


def _set(counts: list[int]) -> None:
    """Set the pools from any thread: who enters last need not be who entered first."""
    for pool, count in zip(_pools(), counts, strict=True):
        free = getattr(pool, "clear_controlling_thread", lambda force: None)
        free(force=True)
        pool.set_num_threads(count)
        free(force=True)
