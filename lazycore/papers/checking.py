"""Runs the checks: every run they need once, many at a time, and each judgement as soon as the
runs that decide it are there."""

from collections.abc import Generator, Iterator
from contextlib import closing
from fnmatch import fnmatch

from lazycore.errors import ConfigError
from lazycore.papers.claim import Check, Row, collect
from lazycore.results.run import RunResult
from lazycore.running.lanes import run_lanes
from lazycore.running.run import choose_device


def select(patterns: list[str], *, quick: bool, paper: str | None = None) -> list[Check]:
    """Return the checks whose names match one of the patterns (all when there is none).

    quick: without those that take minutes. paper: of this paper only; its name may then be left
    out of theirs.
    """
    papers = sorted({c.paper for c in collect()} - {""})
    if paper is not None and paper not in papers:
        raise ConfigError(f"there are no checks of the paper {paper}: give {', '.join(papers)}.")
    checks = [c for c in collect() if not (quick and c.slow) and paper in (None, c.paper)]
    chosen = [c for c in checks if not patterns or any(_matches(c, p, paper) for p in patterns)]
    if not chosen:
        names = ", ".join(c.name for c in checks)
        raise ConfigError(f"no check is called {', '.join(patterns)}: there are {names}.")
    return chosen


def _matches(check: Check, pattern: str, paper: str | None) -> bool:
    return fnmatch(check.name, pattern) or fnmatch(check.name, f"{paper}/{pattern}")


class Checking:
    """The runs of some checks under way, and what is decided by those that have ended.

    device, threads: as of `run_lanes`. done, total: runs, each counted once.
    """

    def __init__(self, checks: list[Check], *, device: str | None = None, threads: int = 1) -> None:
        choose_device(device)  # a wrong name is the call's mistake, before anything is judged
        self._waiting, self.done = list(checks), 0
        self._configs = list({run.digest: run for c in checks for run in c.runs.values()}.values())
        self._found: dict[str, RunResult] = {}
        self._results = run_lanes(self._configs, device=device, threads=threads)

    @property
    def total(self) -> int:
        """Runs that there are."""
        return len(self._configs)

    def judged(self) -> Generator[tuple[Check, list[Row]] | None, None, None]:
        """Yield each check and its rows once they are decided; None whenever a run has ended.

        Whoever closes this generator stops the runs.
        """
        with closing(self._results):
            yield from self._decided()
            for number, result in self._results:
                self._found[self._configs[number].digest] = result
                self.done += 1
                yield None
                yield from self._decided()

    def _decided(self) -> Iterator[tuple[Check, list[Row]]]:
        for check in list(self._waiting):
            if all(run.digest in self._found for run in check.runs.values()):
                self._waiting.remove(check)
                found = {label: self._found[run.digest] for label, run in check.runs.items()}
                wanted = {run.digest for c in self._waiting for run in c.runs.values()}
                self._found = {d: result for d, result in self._found.items() if d in wanted}
                yield check, check.judge(found)
