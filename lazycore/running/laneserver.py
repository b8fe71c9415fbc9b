"""The other side of `laneprocess`: a program that advances the lanes that it is asked for."""

import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import IO, Any

import torch

from lazycore.config.cost import Budget
from lazycore.config.run import RunConfig
from lazycore.errors import LazyLabError
from lazycore.machine.processes import keep_freed_memory
from lazycore.running.batches import Batches, Lane
from lazycore.running.laneprocess import read_frame, write_frame


def main() -> None:
    """Serve frames from standard input until it is closed."""
    torch.set_num_threads(1)
    keep_freed_memory()
    # What anything prints must not get between the frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    asked: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, asked.put), daemon=True).start()
    batches = Batches(torch.device("cpu"))
    while True:
        lanes = [
            Lane(RunConfig.from_dict(lane["config"]), lane["budget"] and Budget(**lane["budget"]))
            for lane in asked.get()["lanes"]
        ]
        try:
            for number, result in batches.advance(lanes):
                head = {"kind": "result", "number": number}
                write_frame(answers, head, result.to_bytes())
            write_frame(answers, {"kind": "done"})
        except LazyLabError as error:
            write_frame(answers, {"kind": "error", "message": str(error)})


def _listen(pipe: IO[bytes], take: Callable[[dict[str, Any]], None]) -> None:
    """Hand on what is asked for; end this program, whatever it is at, with whoever asks."""
    while (frame := read_frame(pipe)) is not None:
        take(frame[0])
    os._exit(0)


if __name__ == "__main__":
    main()
