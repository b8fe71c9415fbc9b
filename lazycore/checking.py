"""Runs the checks: every run they need once, over the cores, then their judgements.

Runs of one shape that are short advance together (`lazycore.lanes.batches`).
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch

import torch

from lazycore.budget import estimate
from lazycore.checks import Check, Row, collect
from lazycore.config import RunConfig
from lazycore.errors import ConfigError
from lazycore.lanes.batches import NETWORK, Batches, Lane
from lazycore.lanes.lanes import at_once
from lazycore.results import RunResult


def select(patterns: list[str], *, quick: bool, paper: str | None = None) -> list[Check]:
    """Return the checks whose names match one of the patterns (all when there is none).

    quick: without those that take minutes. paper: of this paper only.
    """
    papers = sorted({c.paper for c in collect()} - {""})
    if paper is not None and paper not in papers:
        raise ConfigError(f"there are no checks of the paper {paper}: give {', '.join(papers)}.")
    checks = [c for c in collect() if not (quick and c.slow) and paper in (None, c.paper)]
    chosen = [c for c in checks if not patterns or any(fnmatch(c.name, p) for p in patterns)]
    if not chosen:
        names = ", ".join(c.name for c in checks)
        raise ConfigError(f"no check is called {', '.join(patterns)}: there are {names}.")
    return chosen


BATCH_SECONDS = 10.0
"""Work, by its estimate, that one process takes at once: what is longer is shared out."""


@dataclass(frozen=True)
class Runs:
    """The runs that some checks need, each once, under way in a pool of processes.

    pending: by digest, the batch that a run is in, which comes back as bytes by digest.
    """

    pending: dict[str, Future[dict[str, bytes]]]

    def progress(self, check: Check) -> Iterator[tuple[int, int]]:
        """Yield (done, all) as the runs of this check finish; ends when they all have."""
        digests = {run.digest for run in check.runs.values()}
        done = 0
        for batch in as_completed({self.pending[digest] for digest in digests}):
            done += sum(self.pending[digest] is batch for digest in digests)
            yield done, len(digests)

    def judge(self, check: Check) -> list[Row]:
        """Return the rows of this check, waiting for its runs if need be."""
        found = {
            label: self.pending[run.digest].result()[run.digest]
            for label, run in check.runs.items()
        }
        return check.judge({label: RunResult.from_bytes(part) for label, part in found.items()})


@contextmanager
def started(checks: list[Check]) -> Iterator[Runs]:
    """Start the runs of these checks over as many processes as there are cores.

    One thread each; what comes back of a run is its bytes. Leaving ends what still runs.
    """
    configs = {run.digest: run for check in checks for run in check.runs.values()}
    batches = _batches([Lane(config) for config in configs.values()])
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(os.cpu_count(), context, initializer=_begin)
    pending: dict[str, Future[dict[str, bytes]]] = {}
    try:
        for batch in batches:
            future = pool.submit(_run, [lane.values for lane in batch])
            pending |= {lane.config.digest: future for lane in batch}
        yield Runs(pending)
    finally:
        ended = all(future.done() for future in pending.values())
        pool.shutdown(wait=ended, cancel_futures=True)
        if not ended:
            for process in multiprocessing.active_children():
                process.terminate()


def _begin() -> None:
    """Leave a Ctrl-C to whoever started this process, and one core to each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def _batches(lanes: Sequence[Lane]) -> list[list[Lane]]:
    """Return the lanes, those of one shape together, those of one network beside each other."""
    shapes: dict[tuple, list[Lane]] = {}
    for lane in lanes:
        shapes.setdefault(lane.shape, []).append(lane)
    found = []
    for alike in shapes.values():
        alike.sort(key=lambda lane: (*lane.key(NETWORK), lane.values["alpha"]))
        within = int(BATCH_SECONDS / max(estimate(alike[0].config).seconds, 1e-3))
        size = max(1, min(at_once(alike[0].values, torch.device("cpu")), within))
        found += [alike[first : first + size] for first in range(0, len(alike), size)]
    return found


def _run(values: list[dict]) -> dict[str, bytes]:
    lanes = [Lane(RunConfig.from_dict(value)) for value in values]
    ended = Batches(torch.device("cpu")).advance(lanes)
    return {lanes[number].config.digest: result.to_bytes() for number, result in ended}
