"""The figures of the papers, computed beside what these report.

A file in a paper's `figures` that holds a `REPRODUCTION` is one figure: the runs and sweeps that
it needs, as ordinary jobs of the queue, the curves that they come to, and how far these agree
with what was *reported*, that is read off the paper. What is computed here is never called
reported. numpy only; nothing here computes a run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError
from lazycore.machine.once import once
from lazycore.papers.claim import Row
from lazycore.papers.collection import held, oldest_first
from lazycore.results.run import RunResult
from lazycore.results.sweep import SweepResult

Job = RunConfig | SweepConfig
Found = RunResult | SweepResult | None
"""What a job has come to so far; None where there is nothing."""

QUICK, FULL = "quick", "full"


@dataclass(frozen=True, eq=False)
class Curve:
    """One line of a figure: at each of x (P,), the mean, standard deviation and number of runs.

    std is NaN where it is not known: of one run, or where the paper draws no band. look: the
    model it is of, `nonlinear` or `linearized`. runs: (S, P), each run alone; empty for what
    was reported. line: a curve of the paper and ours of the same name belong together.
    """

    line: str
    x: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    counts: np.ndarray
    look: str = "nonlinear"
    runs: np.ndarray | None = None

    @classmethod
    def of_runs(
        cls, line: str, x: np.ndarray, runs: np.ndarray, look: str = "nonlinear"
    ) -> "Curve":
        """Return the curve of these runs (S, P), NaN where one is missing; x without any goes."""
        kept = np.isfinite(runs).any(axis=0)
        x, runs = x[kept], runs[:, kept]
        counts = np.isfinite(runs).sum(axis=0)
        mean = np.nansum(runs, axis=0) / np.maximum(counts, 1)
        squares = np.nansum((runs - mean) ** 2, axis=0)
        std = np.where(counts > 1, np.sqrt(squares / np.maximum(counts - 1, 1)), np.nan)
        return cls(line, x, mean, std, counts, look, runs)

    def times(self, factor: float) -> "Curve":
        """Return the same line in another unit."""
        runs = None if self.runs is None else factor * self.runs
        return replace(self, mean=factor * self.mean, std=abs(factor) * self.std, runs=runs)

    def plus(self, shift: float) -> "Curve":
        """Return the same line from another zero."""
        runs = None if self.runs is None else self.runs + shift
        return replace(self, mean=self.mean + shift, runs=runs)

    def where(self, kept: np.ndarray) -> "Curve":
        """Return the line at some of its points only."""
        runs = None if self.runs is None else self.runs[:, kept]
        columns = (self.x[kept], self.mean[kept], self.std[kept], self.counts[kept])
        return Curve(self.line, *columns, self.look, runs)

    def at(self, x: float) -> int | None:
        """Return the place of x among this curve's, to within 2 %; None where it has no point."""
        if not len(self.x):
            return None
        near = int(np.argmin(np.abs(self.x - x)))
        return near if abs(self.x[near] - x) <= 0.02 * abs(x) else None


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much of a figure is computed: a sentence, and the jobs, made when first asked for."""

    said: str
    make: Callable[[], Sequence[Job]]

    @once
    def jobs(self) -> tuple[Job, ...]:
        """The runs and sweeps, in the order in which the figure reads them."""
        return tuple(self.make())


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One reading of the experiment: as the paper's text has it, or the authors' code.

    differs: what it is, in a sentence. sizes: `quick` and `full`, or fewer.
    """

    name: str
    differs: str
    sizes: Mapping[str, Size]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """An axis of a figure: its title with the unit, whether it is logarithmic."""

    title: str
    log: bool = False


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """One figure of a paper.

    name: in links; once collected no two have the same (`lazycore.papers.collection.qualified`).
    title, caption: what it shows. x, y: its axes. settings: the first is the default; none where
    nothing is computed here (`missing` says why). curves: what the jobs came to, in their order,
    → ours. reported: the paper's lines. read_off: where these are from, in words. agreement: the
    same results → how far both agree, in numbers. kind: `curves`, or `neurons` where each job is
    a run whose neurons are drawn. paper: whose figure it is; its folder says it, `collect` fills
    it in.
    """

    name: str
    title: str
    caption: str
    x: Scale
    y: Scale
    settings: tuple[Setting, ...] = ()
    curves: Callable[[Sequence[Found]], list[Curve]] = lambda found: []
    reported: Callable[[], list[Curve]] = lambda: []
    read_off: Callable[[], str] = lambda: ""
    agreement: Callable[[Sequence[Found]], list[Row]] = lambda found: []
    kind: str = "curves"
    missing: str = ""
    paper: str = ""

    def setting(self, name: str) -> Setting:
        """Return the setting of that name; `ConfigError` when there is none."""
        return _named(name, {s.name: s for s in self.settings}, f"setting of figure {self.name}")

    def size(self, setting: str, size: str) -> Size:
        """Return that size of that setting; `ConfigError` when there is none."""
        return _named(size, self.setting(setting).sizes, f"size of figure {self.name}")


@cache
def collect() -> dict[str, Reproduction]:
    """Return every figure by its name, in its paper's order, those of the oldest paper first."""
    found = sorted(held("figures", "REPRODUCTION"), key=lambda one: one.name)
    return {one.name: one for one in oldest_first(found)}


def find(name: str) -> Reproduction:
    """Return the figure of that name; `ConfigError` when there is none."""
    return _named(name, collect(), "figure")


def quick_jobs(paper: str) -> list[Job]:
    """Return what a paper's figures open with: the quick size of their first settings."""
    first = (one.settings[0] for one in collect().values() if one.paper == paper and one.settings)
    return [job for setting in first for job in setting.sizes[QUICK].jobs]


def _named(name: str, known: Mapping, what: str):
    if name not in known:
        raise ConfigError(f"there is no {what} {name[:40]!r}: give {', '.join(known)}.")
    return known[name]
