"""Runs the checks: every run they need once, over the cores, then their judgements."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch

from lazycore.checks import Check, Row, collect
from lazycore.config import RunConfig
from lazycore.errors import ConfigError
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


@dataclass(frozen=True)
class Runs:
    """The runs that some checks need, each once, under way in a pool of processes."""

    pending: dict[str, Future[bytes]]

    def progress(self, check: Check) -> Iterator[tuple[int, int]]:
        """Yield (done, all) as the runs of this check finish; ends when they all have."""
        wanted = {self.pending[run.digest] for run in check.runs.values()}
        for done, _ in enumerate(as_completed(wanted), start=1):
            yield done, len(wanted)

    def judge(self, check: Check) -> list[Row]:
        """Return the rows of this check, waiting for its runs if need be."""
        data = {label: self.pending[run.digest].result() for label, run in check.runs.items()}
        return check.judge({label: RunResult.from_bytes(part) for label, part in data.items()})


@contextmanager
def started(checks: list[Check]) -> Iterator[Runs]:
    """Start the runs of these checks over as many processes as there are cores.

    One thread each; what comes back of a run is its bytes. Leaving ends what still runs.
    """
    configs = {run.digest: run for check in checks for run in check.runs.values()}
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(os.cpu_count(), context, initializer=_one_thread)
    try:
        yield Runs({digest: pool.submit(_run, run.to_dict()) for digest, run in configs.items()})
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _run(values: dict) -> bytes:
    from lazycore.training import run

    return run(RunConfig.from_dict(values), device="cpu").to_bytes()
