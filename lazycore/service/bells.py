"""A bell for each line of each worker: whoever submits rings, so that nobody has to look often.

A bell is a named pipe, `root`/workers/NAME.LINE.bell. Ringing one that nobody listens to does
nothing, and a ring that comes while the listener is busy is heard as soon as it listens again.
"""

import contextlib
import math
import os
import select
import stat
import time
from pathlib import Path

AWAKE_SECONDS = 1.0
"""For how long it is looked often after a ring: a job that has just ended leaves its place in
the queue a moment later."""
START_SECONDS = 5.0
"""The same at the start, when what a killed worker was at is put back into the queue."""
IDLE_SECONDS = 5.0
"""How often it is looked without a ring."""


def ring(root: Path, line: str) -> None:
    """Wake whoever listens for `line` under `root`."""
    for path in _folder(root).glob(f"*.{line}.bell"):
        # Nobody listens, or the pipe is full of rings that were not yet heard.
        with contextlib.suppress(OSError):
            bell = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            try:
                if stat.S_ISFIFO(os.fstat(bell).st_mode):
                    os.write(bell, b"\n")
            finally:
                os.close(bell)


class Bell:
    """What stands for a queue thread's stop event: never set, and its wait ends at a ring."""

    def __init__(self, root: Path, name: str, line: str) -> None:
        path = _folder(root) / f"{name}.{line}.bell"
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_fifo():
            path.unlink()
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        # For writing too: without a writer the end of the pipe would be heard all the time.
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._awake_until = time.monotonic() + START_SECONDS
        self._looked_at = -math.inf

    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float) -> bool:
        """Return False, after `timeout` seconds or, long after the last ring, after more; at a
        ring at once, but for `timeout` after the last return: DBOS counts a job that it has
        handed over a moment later, and would hand over one too many."""
        is_awake = time.monotonic() < self._awake_until
        pause = timeout if is_awake else max(timeout, IDLE_SECONDS)
        if select.select([self._pipe], [], [], pause)[0]:
            os.read(self._pipe, 4096)
            self._awake_until = time.monotonic() + AWAKE_SECONDS
            time.sleep(max(0.0, self._looked_at + timeout - time.monotonic()))
        self._looked_at = time.monotonic()
        return False

    def close(self) -> None:
        os.close(self._pipe)


def _folder(root: Path) -> Path:
    return Path(root) / "workers"
