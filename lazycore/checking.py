"""Runs the checks: every run they need once, over the cores, then their judgements."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from fnmatch import fnmatch

from lazycore.checks import Check, Row, collect
from lazycore.config import RunConfig
from lazycore.errors import ConfigError
from lazycore.results import RunResult


def select(patterns: list[str], *, quick: bool) -> list[Check]:
    """Return the checks whose names match one of the patterns (all when there is none)."""
    checks = [c for c in collect() if not (quick and c.slow)]
    chosen = [c for c in checks if not patterns or any(fnmatch(c.name, p) for p in patterns)]
    if not chosen:
        names = ", ".join(c.name for c in checks)
        raise ConfigError(f"no check is called {', '.join(patterns)}: there are {names}.")
    return chosen


def rows(checks: list[Check]) -> Iterator[tuple[Check, list[Row]]]:
    """Yield each check with its rows, in order, as soon as its runs are there.

    The runs go over as many processes as there are cores, one thread each; what comes back
    is their bytes.
    """
    configs = {run.digest: run for check in checks for run in check.runs.values()}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, initializer=_one_thread) as pool:
        pending: dict[str, Future[bytes]] = {
            digest: pool.submit(_run, config.to_dict()) for digest, config in configs.items()
        }
        for check in checks:
            data = {label: pending[run.digest].result() for label, run in check.runs.items()}
            results = {label: RunResult.from_bytes(part) for label, part in data.items()}
            yield check, check.judge(results)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _run(values: dict) -> bytes:
    from lazycore.training import run

    return run(RunConfig.from_dict(values), device="cpu").to_bytes()
