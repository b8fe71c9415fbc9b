"""Another process that advances lanes: Python runs on one core at a time in each.

Two threads of small tensors wait for each other's Python: they took 21 s where one took 14
(docs/log/speed.md, 2026-11-21). Over the pipes go frames: one line of JSON, then the bytes of a
result; nothing is unpickled from them.
"""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import IO, Any

from lazycore.errors import LazyLabError
from lazycore.machine.processes import environment
from lazycore.results.run import RunResult
from lazycore.running.batches import Lane


def write_frame(pipe: IO[bytes], head: dict[str, Any], payload: bytes = b"") -> None:
    """Send one frame."""
    line = json.dumps(head | {"bytes": len(payload)}).encode()
    pipe.write(line + b"\n" + payload)
    pipe.flush()


def read_frame(pipe: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Return the next frame; None where the other side has ended, even in the middle of one."""
    line = pipe.readline()
    if not line.endswith(b"\n"):
        return None
    head = json.loads(line)
    payload = pipe.read(head["bytes"])
    return (head, payload) if len(payload) == head["bytes"] else None


def _said(lane: Lane) -> dict[str, Any]:
    budget = asdict(lane.budget) if lane.budget else None
    return {"config": lane.config.to_dict(), "budget": budget}


@dataclass
class LaneProcess:
    """`python -m lazycore.running.laneserver`, which ends as soon as its input is closed."""

    process: subprocess.Popen = field(init=False)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lazycore.running.laneserver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is for whoever asks, who then closes the pipe
            env=environment(),
        )

    def advance(self, lanes: Sequence[Lane]) -> Iterator[tuple[int, RunResult]]:
        """Yield (place in the batch, result) of each lane as it ends.

        Raises the `LazyLabError` that ended them, or one that says how the process died.
        """
        asked, answers = self.process.stdin, self.process.stdout
        assert asked is not None and answers is not None
        with contextlib.suppress(OSError):  # a process that is gone is found out below
            write_frame(asked, {"lanes": [_said(lane) for lane in lanes]})
        while (frame := read_frame(answers)) is not None:
            head, payload = frame
            if head["kind"] == "done":
                return
            if head["kind"] == "error":
                raise LazyLabError(head["message"])
            yield head["number"], RunResult.from_bytes(payload)
        raise LazyLabError(self._epitaph())

    def close(self) -> None:
        """End the process, whatever it is at."""
        self.process.kill()
        self.process.wait(30)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what it was asked last may never get there
                    pipe.close()

    def _epitaph(self) -> str:
        code = self.process.wait(30)
        how = f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with {code}"
        return f"The process that computed these runs {how}; run them again."
