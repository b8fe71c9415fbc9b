"""Which workers there are: a lock and a heartbeat file for each, under `root`/workers.

The lock says who may call itself by a name: two live workers of one name would run a job
twice. The heartbeat says to everyone else that the worker lives and what it is doing.
"""

import json
import os
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lazycore.service import locks

SILENT_SECONDS = 5.0
"""A worker beats every second; one that has been silent for longer than this is not alive."""


@dataclass(frozen=True)
class WorkerInfo:
    """A worker as seen from outside."""

    name: str
    pid: int
    device: str
    heartbeat_age: float
    busy_with: str | None
    alive: bool


def worker_name(device: str) -> str:
    """Return the name of the worker of `device`, which is also its file's."""
    return device.replace(":", "-")


def claim(root: Path, name: str) -> IO[str] | None:
    """Return the held lock of `name`, None while another process holds it.

    The lock lasts until the file is closed or the process ends, in whatever way it ends.
    """
    return locks.claim(_folder(root) / f"{name}.lock")


def beat(root: Path, name: str, device: str, busy_with: str | None) -> None:
    """Say that the worker `name` is alive now and what it is busy with."""
    content = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "device": device,
        "busy_with": busy_with,
        "at": time.time(),
    }
    path = _folder(root) / f"{name}.json"
    fresh = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.new")  # jobs beat too
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(content))
        os.replace(fresh, path)
    except OSError:
        # A full disk must not end a worker: it goes silent instead.
        fresh.unlink(missing_ok=True)


def tidy(root: Path, name: str) -> None:
    """Take away what a worker `name` that was killed in mid-beat has left; for its successor."""
    for path in _folder(root).glob(f"{name}.*.new"):
        path.unlink(missing_ok=True)


def stop_beating(root: Path, name: str) -> None:
    """Take the worker `name` off the list: it has ended in good order."""
    (_folder(root) / f"{name}.json").unlink(missing_ok=True)


def workers(root: Path, now: float | None = None) -> list[WorkerInfo]:
    """Return the workers that have beaten under `root`, by name; a killed one is not alive."""
    now = time.time() if now is None else now
    return [
        info
        for path in sorted(_folder(root).glob("*.json"))
        if (info := _read(path, now)) is not None
    ]


def _read(path: Path, now: float) -> WorkerInfo | None:
    try:
        said = json.loads(path.read_text())
        age = max(0.0, now - float(said["at"]))
        gone = said["host"] == socket.gethostname() and not _exists(int(said["pid"]))
        busy = said["busy_with"]
        return WorkerInfo(
            name=path.stem,
            pid=int(said["pid"]),
            device=str(said["device"]),
            heartbeat_age=age,
            busy_with=None if busy is None else str(busy),
            alive=age < SILENT_SECONDS and not gone,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _folder(root: Path) -> Path:
    return Path(root) / "workers"
