"""What ships: the runs and sweeps that are on the screen before anything has been computed.

A file `_shipped.py` anywhere in a paper's folder holds `SHIPS`: which runs and sweeps, in which
folder, and what is kept of them. One more place that ships something is one more such file.

    python -m lazycore.papers.shelf [--missing] [NAME …]     computes them into cache/atlas

NAME: of a shipment, as `lazy-training/figures` or `figures`, `*` allowed. `--list` says what is
there. What the store of results has is taken from there, so that a call that was stopped goes on.
"""

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError, LazyLabError
from lazycore.machine.places import DASHBOARD
from lazycore.papers.collection import called
from lazycore.papers.reproduction import Job
from lazycore.results import npz
from lazycore.results.run import RunResult
from lazycore.results.store import ResultStore, open_store
from lazycore.results.sweep import SweepResult

DIRECTORY = DASHBOARD / "cache" / "atlas"
SWEEPS = "sweeps"
"""The folder of sweeps within a shipment's."""
DIGEST = re.compile(r"[0-9a-f]{16}")
Found = TypeVar("Found", RunResult, SweepResult)


def slim(result: RunResult) -> RunResult:
    """Return the run in single precision, as it ships: half the bytes, seven digits."""

    def narrow(values):
        return values.astype(np.float32) if isinstance(values, np.ndarray) else values

    groups = {
        name: {key: narrow(value) for key, value in getattr(result, name).items()}
        for name in ("series", "sparse", "latest")
    }
    return replace(result, **groups)


def slim_table(table: SweepResult) -> SweepResult:
    """Return the table with seven digits of each number that single precision can hold."""
    within = np.abs(table.values) < np.finfo(np.float32).max
    narrow = np.where(within, table.values, 0.0).astype(np.float32)
    table.values[:] = np.where(within, narrow, table.values)
    return table


@dataclass(frozen=True, kw_only=True)
class Shipment:
    """What one place ships.

    name: for the command line; once collected that of the paper's folder stands before it.
    folder: of the files, within `DIRECTORY`; no two shipments share one. jobs: the runs and
    sweeps. slim: a run → what is kept of it. twins: a run that is there → further runs that ship
    with it; None where there are none.
    """

    name: str
    folder: str
    jobs: Callable[[], Iterable[Job]]
    slim: Callable[[RunResult], RunResult] = slim
    twins: Callable[[RunResult], Iterable[RunConfig]] | None = None

    def path(self, job: Job) -> Path:
        """Return the file of this run or sweep."""
        within = SWEEPS if isinstance(job, SweepConfig) else ""
        return DIRECTORY / self.folder / within / f"{job.digest}.npz"

    def load(self, job: Job) -> RunResult | SweepResult | None:
        """Return what is in the file of this run or sweep; None where it is missing or broken."""
        kind = SweepResult if isinstance(job, SweepConfig) else RunResult
        try:
            return kind.load(self.path(job))
        except LazyLabError:
            return None

    def declared(self) -> Iterator[Job]:
        """Yield every run and sweep, each once; a run's twins after it, if it is there by then."""
        seen = set()
        for job in self.jobs():
            if job.digest in seen:
                continue
            seen.add(job.digest)
            yield job
            result = self.load(job) if self.twins else None
            if self.twins and isinstance(result, RunResult):
                for twin in self.twins(result):
                    if twin.digest not in seen:
                        seen.add(twin.digest)
                        yield twin

    def missing(self) -> list[Job]:
        """Return what has no file, or a broken one."""
        return [job for job in self.declared() if self.load(job) is None]

    def unclaimed(self) -> list[Path]:
        """Return the files in this folder that belong to nothing that is declared."""
        here, known = DIRECTORY / self.folder, {self.path(job) for job in self.declared()}
        files = (*here.glob("*.npz"), *(here / SWEEPS).glob("*.npz"))
        return sorted(file for file in files if file not in known)


@cache
def shipments() -> dict[str, Shipment]:
    """Return everything that ships by its name, as `lazy-training/figures`."""
    found = [
        replace(one, name=f"{folder.replace('_', '-')}/{one.name}")
        for folder, files in called("_shipped").items()
        for file in files
        for one in file.SHIPS
    ]
    return {one.name: one for one in found}


def select(patterns: Sequence[str]) -> list[Shipment]:
    """Return the shipments of these names, with or without the paper's; all where none is given.

    `ConfigError` for a name that no shipment has.
    """
    names = {p: [n for n in shipments() if fnmatch(n, p) or fnmatch(n, f"*/{p}")] for p in patterns}
    wrong = [pattern for pattern, found in names.items() if not found]
    if wrong:
        known = ", ".join(shipments())
        raise ConfigError(f"nothing that ships is called {', '.join(wrong)}: give {known}.")
    chosen = {name for found in names.values() for name in found}
    return [one for name, one in shipments().items() if name in chosen or not patterns]


def find(digest: str) -> RunResult | None:
    """Return the shipped run of this digest, None when it is not one of them."""
    return _find(digest, RunResult.load, "")


def find_sweep(digest: str) -> SweepResult | None:
    """Return the shipped sweep of this digest, None when it is not one of them."""
    return _find(digest, SweepResult.load, SWEEPS)


def _find(digest: str, load: Callable[[Path], Found], within: str) -> Found | None:
    if not DIGEST.fullmatch(digest):
        return None
    for one in shipments().values():
        file = DIRECTORY / one.folder / within / f"{digest}.npz"
        try:
            if file.is_file():
                return _read(file, load)
        except LazyLabError:
            continue
    return None


@lru_cache(maxsize=128)
def _read(file: Path, load: Callable[[Path], Found]) -> Found:
    return load(file)


def build(one: Shipment, only_missing: bool = False) -> Iterator[Path]:
    """Compute what a shipment declares, or what of it is missing; yield each file once it is there.

    What is computed goes into the store too. Whoever iterates may stop at any time: no file is
    ever half there.
    """
    store = open_store()
    try:
        for job in one.declared():
            if only_missing and one.load(job) is not None:
                continue
            yield _whole(one.path(job), _made(one, job, store))
    finally:
        store.close()


def _whole(file: Path, result: RunResult | SweepResult) -> Path:
    """Write the file whole or not at all."""
    part = file.with_suffix(".part")

    def write() -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        result.save(part)
        os.replace(part, file)

    return npz.written(file, write)


def _made(one: Shipment, job: Job, store: ResultStore) -> RunResult | SweepResult:
    """Return the result as it ships, from the store where that has it."""
    import lazycore

    if isinstance(job, SweepConfig):
        return slim_table(lazycore.sweep(job, store=store, budget=None))
    result = store.find(job.digest)
    if result is None:
        result = lazycore.run(job, budget=None)
        store.put(job.digest, result.to_bytes())
    return one.slim(result)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compute what ships, as on the command line; progress on standard error. Return 0, 2 for a
    wrong name, 130 where it was stopped."""
    parser = argparse.ArgumentParser(prog="python -m lazycore.papers.shelf", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME", help="shipments; default: all")
    parser.add_argument("--missing", action="store_true", help="only what is not there")
    parser.add_argument("--list", action="store_true", help="say what is there, compute nothing")
    options = parser.parse_args(arguments)
    try:
        wanted = select(options.names)
        for one in wanted:
            if options.list:
                sys.stdout.write(f"{_counted(one)}\n")
            else:
                _build(one, options.missing)
    except LazyLabError as error:
        _say(str(error))
        return 2 if isinstance(error, ConfigError) else 1
    except KeyboardInterrupt:
        _say("stopped: what was computed is kept, the same call goes on from there.")
        return 130
    return 0


def _build(one: Shipment, only_missing: bool) -> None:
    """Build one shipment, say each file, and take away what belongs to nothing any more."""
    started = time.monotonic()
    for number, file in enumerate(build(one, only_missing), start=1):
        passed = time.monotonic() - started
        kilobytes = file.stat().st_size / 1000
        _say(f"{one.name}: file {number}, {file.stem}, {kilobytes:.0f} kB, {passed:.0f} s passed")
    for file in one.unclaimed():
        file.unlink()
        _say(f"{one.name}: {file.stem} is not declared any more, and gone")
    _say(_counted(one))


def _counted(one: Shipment) -> str:
    """Return in words how much of a shipment is there, and what is missing."""
    missing, total = one.missing(), len(list(one.declared()))
    said = f"{one.name}: {total - len(missing)} of {total} are there"
    return said + (f"; missing: {', '.join(job.digest for job in missing)}" if missing else "")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    from lazycore.papers import shelf  # as the declarations know it

    sys.exit(shelf.main())
