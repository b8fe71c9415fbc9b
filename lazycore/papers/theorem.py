"""The statements of the theory, each beside what a run says of it. numpy only.

A file in a paper's `theorems` holds a `THEOREM`: the statement, problems
to look at it on, and functions from recorded runs to hypotheses, lines and rates. All of it is
read off `RunResult`s, so that whatever is shown is an ordinary run of the queue and the store.
One more statement is one more file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.papers.collection import held, oldest_first
from lazycore.results.run import RunResult

if TYPE_CHECKING:
    import pandas as pd

BOUND = "bound"
BELOW = "estimate from below, not a bound"
OUTSIDE = "outside its hypotheses, not a bound"
GUIDE = "the rate e^(−σ_r² t), not a bound"


@dataclass(frozen=True)
class Hypothesis:
    """What is assumed, in words; whether the run has it (None: not known); what was found."""

    text: str
    holds: bool | None
    found: str

    @property
    def mark(self) -> str:
        """✓, ✗ or ?"""
        return {True: "✓", False: "✗", None: "?"}[self.holds]


@dataclass(frozen=True, eq=False)
class Line:
    """A quantity over time and what the theorem says of it.

    name: of the quantity, with its symbol. unit: as on an axis. time, measured: (T,).
    bound: (T,), NaN where there is none at that time, or None. kind: what `bound` is.
    model: whose line it is (`nonlinear`, `linearized`), or `gap` for a distance of the two.
    group: lines of one group share their axes; empty: axes of its own. exponential: whether
    the time is best seen on a linear axis. floor: the error of the method in this quantity:
    a bound below it is compared with nothing.
    """

    name: str
    unit: str
    time: np.ndarray
    measured: np.ndarray
    bound: np.ndarray | None = None
    kind: str = BOUND
    model: str = "nonlinear"
    group: str = ""
    exponential: bool = False
    floor: float = 0.0

    @property
    def ratio(self) -> float | None:
        """The largest of measured/bound over the times after 0 that have both."""
        if self.bound is None:
            return None
        known = np.isfinite(self.measured) & np.isfinite(self.bound) & (self.bound > self.floor)
        ratios = self.measured[known & (self.time > 0.0)] / self.bound[known & (self.time > 0.0)]
        return float(ratios.max()) if ratios.size else None


@dataclass(frozen=True)
class Rate:
    """A measured exponent or rate with its 95 % interval, and what the theorem expects.

    at_most: whether what is expected is an upper bound, O(·): a steeper power agrees with it.
    """

    name: str
    expected: float | None
    value: float
    low: float
    high: float
    over: str
    at_most: bool = False

    @property
    def agrees(self) -> bool | None:
        """Whether it is what is expected, to 0.05 or within the interval; None without one."""
        if self.expected is None or not np.isfinite(self.value):
            return None
        room = 0.05 * max(1.0, abs(self.expected))
        near = abs(self.value - self.expected) <= room
        below = self.at_most and self.value <= self.expected + room
        return bool(near or below or self.low <= self.expected <= self.high)


def no_lines(result: RunResult, others: Mapping[str, RunResult]) -> list[Line]:
    """Return nothing: the statement is not about a course in time."""
    return []


def no_rates(results: Sequence[RunResult]) -> list[Rate]:
    """Return nothing: the statement gives no rate."""
    return []


def no_sweep_rates(frame: "pd.DataFrame") -> list[Rate]:
    """Return nothing: the statement gives no rate over a sweep."""
    return []


def no_companions(result: RunResult) -> dict[str, RunConfig]:
    """Return nothing: the statement is about one run."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Theorem:
    """One statement and how it is looked at.

    name: in links; once collected no two have the same (`lazycore.papers.collection.qualified`).
    title: as chosen on the page. statement: markdown with formulas. source: where in the paper
    it is. examples: problems by label, the first one first.
    alphas: output scales over which `rates` looks at an example.
    hypotheses: what is assumed, checked on a run. lines: measured curves under their bounds,
    of a run and its companions. rates: exponents over runs that differ in α only.
    companions: further runs that the statement is about, by label. sweep: of the κ explorer;
    sweep_rates: exponents over the cells of its table.
    slopes: whether these are powers of α of the distances, which have a figure.
    remark: what is to be known about the numbers, in a sentence. order: among the paper's
    statements. paper: whose it is; its folder says it, `theorems` fills it in.
    """

    name: str
    title: str
    statement: str
    source: str
    examples: Mapping[str, RunConfig]
    hypotheses: Callable[[RunResult], list[Hypothesis]]
    lines: Callable[[RunResult, Mapping[str, RunResult]], list[Line]] = no_lines
    rates: Callable[[Sequence[RunResult]], list[Rate]] = no_rates
    companions: Callable[[RunResult], dict[str, RunConfig]] = no_companions
    alphas: tuple[float, ...] = ()
    slopes: bool = False
    sweep: SweepConfig | None = None
    sweep_rates: Callable[["pd.DataFrame"], list[Rate]] = no_sweep_rates
    remark: str = ""
    order: int = field(default=0)
    paper: str = ""


@cache
def theorems() -> dict[str, Theorem]:
    """Return every statement by its name, in its paper's order, the oldest paper's first."""
    found = sorted(held("theorems", "THEOREM"), key=lambda one: one.order)
    return {theorem.name: theorem for theorem in oldest_first(found)}
