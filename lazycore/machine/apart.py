"""Work on somebody's file in a process of its own, which has a limit of time and of memory.

    apart("lazycore.datasets.own:described", data, [where], Limits(10.0, 250), DataError)

Bytes go in and bytes come out; nothing is unpickled. `work` is a name in this program, never one
that came from outside.
"""

import importlib
import json
import resource
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lazycore.errors import LazyLabError
from lazycore.machine.processes import environment

AT_ONCE = threading.BoundedSemaphore(2)
"""Such processes that a server has at a time: the next ones wait."""
PATIENCE = 5.0
"""Seconds of the clock for each second of work, on a machine that is busy."""
FINE, REFUSED, TOO_LARGE, TOO_LONG = 0, 3, 4, -24
"""How the process ends; the last: by the signal SIGXCPU."""


@dataclass(frozen=True)
class Limits:
    """Seconds of work, and megabytes beyond what the program itself takes."""

    seconds: float
    megabytes: int


def apart(
    work: str,
    data: bytes,
    words: Sequence[str],
    limits: Limits,
    wrong: type[LazyLabError] = LazyLabError,
) -> bytes:
    """Return what the function `work` makes of these bytes and words.

    Raises `wrong` with what the function says of them, or that they take too long or too much.
    Anything else that it raises is a bug of ours: it stands whole in the log of the server.
    """
    command = [sys.executable, "-m", "lazycore.machine.apart", work, json.dumps(list(words))]
    command += [f"{limits.seconds:g}", str(limits.megabytes)]
    too_long = f"reading it took longer than {limits.seconds:g} s: give a smaller file."
    with AT_ONCE:
        try:
            done = subprocess.run(
                command,
                input=data,
                capture_output=True,
                timeout=PATIENCE * limits.seconds + 10.0,
                env=environment(),
            )
        except subprocess.TimeoutExpired:
            raise wrong(too_long) from None
    if done.returncode == FINE:
        return done.stdout
    if done.returncode == REFUSED:
        raise wrong(done.stdout.decode())
    if done.returncode == TOO_LONG:
        raise wrong(too_long)
    if done.returncode == TOO_LARGE:
        raise wrong(f"reading it needs more than {limits.megabytes} MB: give a smaller file.")
    said = done.stderr.decode(errors="replace")
    sys.stderr.write(said)
    last = (said.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
    raise wrong(f"this file cannot be read ({last.split(':')[0][:80]}): give another one.")


def main(work: str, words: str, seconds: str, megabytes: str) -> int:
    """Do the work on what comes in, within its limits; the child's side."""
    module, name = work.split(":")
    function = getattr(importlib.import_module(module), name)
    _limit(float(seconds), int(megabytes))
    try:
        found = function(sys.stdin.buffer.read(), *json.loads(words))
    except LazyLabError as error:
        sys.stdout.buffer.write(str(error).encode())
        return REFUSED
    except MemoryError:
        return TOO_LARGE
    sys.stdout.buffer.write(found)
    return FINE


def _limit(seconds: float, megabytes: int) -> None:
    """Have the system end this process after so much work, and refuse it more memory."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    whole = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 5))
    pages = Path("/proc/self/statm")
    if pages.exists():  # elsewhere the limit of time has to do
        held = int(pages.read_text().split()[0]) * resource.getpagesize()
        most = held + megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
