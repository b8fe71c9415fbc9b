"""Locks between the processes of one machine, let go of by however a process ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def claim(path: Path) -> IO[str] | None:
    """Return the lock of `path`, held until it is closed; None while another holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = open(path, "a+")  # noqa: SIM115 - whoever claims it closes it
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Wait for the lock of `path` and hold it for as long as the block lasts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
