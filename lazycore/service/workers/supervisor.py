"""One worker process for each device, started again whenever one ends."""

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lazycore.machine.processes import environment
from lazycore.service.workers import devices

RESTART_SECONDS = (0.5, 30.0)
"""What ended is started again when this long has passed since it was last started; twice as
long each time, up to the second number, after which it counts as having worked."""
LOOK_SECONDS = 0.5
TOLD_TO_END = (0, -signal.SIGTERM, -signal.SIGKILL)
"""How a process ends that somebody else has ended."""


@dataclass
class Patience:
    """How long to wait before something is started again that may end again at once."""

    seconds: float = RESTART_SECONDS[0]

    def after(self, code: int, lived: float) -> float:
        """Return the seconds from its last start to its next, after it has lived so long.

        What cannot even start, the disk being full, must not take a core for trying; what was
        killed is not to blame and is started at once.
        """
        if code in TOLD_TO_END or lived > RESTART_SECONDS[1]:
            self.seconds = RESTART_SECONDS[0]
            return self.seconds
        seconds, self.seconds = self.seconds, min(2 * self.seconds, RESTART_SECONDS[1])
        return seconds


def supervise(root: Path, names: Sequence[str], more: list[str], stop: threading.Event) -> None:
    """Keep one worker process per device, given `more` arguments, until `stop`; then end them.

    A worker ends when its standard input closes, so none outlives this process.
    """
    threads = ["--threads", str(devices.threads_each(len(names)))]
    threads += ["--sweep-threads", str(devices.sweep_threads_each(len(names)))]

    def start(device: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "lazycore.service.workers.worker", "--embedded"]
        command += ["--device", device]
        command += ["--root", str(root), *threads, *more]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, env=environment(), start_new_session=True
        )

    running = {device: start(device) for device in names}
    started = dict.fromkeys(names, time.monotonic())
    patience = {device: Patience() for device in names}
    due: dict[str, float] = {}
    while not stop.wait(LOOK_SECONDS):
        now = time.monotonic()
        for device, process in running.items():
            code = process.poll()
            if code is not None and device not in due:
                lived = now - started[device]
                due[device] = started[device] + patience[device].after(code, lived)
            if now >= due.get(device, math.inf):
                del due[device]
                running[device], started[device] = start(device), now
    for process in running.values():
        if process.stdin:
            process.stdin.close()
    for process in running.values():
        _end(process)


def _end(process: subprocess.Popen) -> None:
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(30)


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
