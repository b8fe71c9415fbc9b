"""One worker process for each device, started again whenever one ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from lazycore.processes import environment
from lazycore.workers import devices

RESTART_SECONDS = (0.5, 30.0)
"""A worker that ended is started again when this long has passed since it was last started;
twice as long each time, up to the second number, after which it counts as having worked."""


def supervise(root: Path, names: Sequence[str], more: list[str], stop: threading.Event) -> None:
    """Keep one worker process per device, given `more` arguments, until `stop`; then end them.

    A worker ends when its standard input closes, so none outlives this process.
    """
    threads = ["--threads", str(devices.threads_each(len(names)))]
    threads += ["--sweep-threads", str(devices.sweep_threads_each(len(names)))]

    def start(device: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "lazycore.workers.worker", "--embedded"]
        command += ["--device", device]
        command += ["--root", str(root), *threads, *more]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, env=environment(), start_new_session=True
        )

    running = {device: start(device) for device in names}
    started = dict.fromkeys(names, time.monotonic())
    pause = dict.fromkeys(names, RESTART_SECONDS[0])
    while not stop.wait(0.1):
        for device, process in running.items():
            lived = time.monotonic() - started[device]
            if lived > RESTART_SECONDS[1]:
                pause[device] = RESTART_SECONDS[0]
            if process.poll() is not None and lived > pause[device]:
                # What cannot even start, the disk being full, must not take a core for trying.
                pause[device] = min(2 * pause[device], RESTART_SECONDS[1])
                running[device], started[device] = start(device), time.monotonic()
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
