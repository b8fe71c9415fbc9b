"""What the benchmarks share: sides that take turns, tables, bars, and the machine's own rate.

A benchmark is a generator `measure(size, …)` of tables and bars, printed as they come; `size`
is `full`, or `tiny` for the tests, which look at the form of what comes and at no time.
"""

import argparse
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

SIZES = ("full", "tiny")


# ── what a benchmark says ────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Table:
    """Rows under headings; numbers are shown to three digits."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple]
    note: str = ""

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), self.title

    @property
    def words(self) -> list[tuple[str, ...]]:
        """The cells as text, headings first."""
        return [self.columns, *(tuple(map(word, row)) for row in self.rows)]

    def text(self) -> str:
        """Return the table for a terminal: the first column to the left, the rest to the right."""
        widths = [max(map(len, column)) for column in zip(*self.words, strict=True)]
        lines = []
        for first, *rest in self.words:
            cells = [f"{c:>{w}}" for c, w in zip(rest, widths[1:], strict=True)]
            lines.append("    " + "  ".join([f"{first:{widths[0]}}", *cells]).rstrip())
        note = [f"    ({self.note})"] if self.note else []
        return "\n".join([f"  {self.title}", *lines, *note])

    def markdown(self) -> str:
        """Return the same for a document."""
        heads, *rows = ["| " + " | ".join(row) + " |" for row in self.words]
        rule = "|---" * len(self.columns) + "|"
        note = ["", self.note[:1].upper() + self.note[1:] + "."] if self.note else []
        return "\n".join([heads, rule, *rows, *note])


@dataclass(frozen=True)
class Bar:
    """A number and what it is to reach: at least `bar`, or at most."""

    what: str
    value: float
    bar: float
    at_most: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it does; a number that is not one does not."""
        return self.value <= self.bar if self.at_most else self.value >= self.bar

    def text(self) -> str:
        """Return a line."""
        side = "at most" if self.at_most else "at least"
        verdict = "ok" if self.is_met else "MISSED"
        return f"  {self.what}: {word(self.value)}, {side} {word(self.bar)}: {verdict}"


Said = Table | Bar | str


def word(value: object) -> str:
    """Return a cell's text."""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    if value != value:
        return "–"
    if value == 0.0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"
    return f"{value:.1e}"


def say(found: Iterable[Said]) -> list[Bar]:
    """Print what comes, as it comes; return the bars that are missed."""
    missed = []
    for said in found:
        print(said if isinstance(said, str) else said.text(), flush=True)
        if isinstance(said, Bar) and not said.is_met:
            missed.append(said)
    return missed


def arguments(document: str | None) -> argparse.ArgumentParser:
    """Return the options that all benchmarks have; a file adds its own."""
    parser = argparse.ArgumentParser(
        description=document, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="exit 1 below a bar")
    parser.add_argument("--size", choices=SIZES, default="full", help="tiny: what the tests run")
    return parser


def conclude(missed: Sequence[Bar], check: bool) -> int:
    """Return the exit status: 1 where a bar is missed and that is asked about."""
    return int(bool(missed) and check)


# ── time ─────────────────────────────────────────────────────────────────────────────────
def seconds(function: Callable[..., object], *given: object) -> float:
    """Return the time of one call."""
    begun = time.perf_counter()
    function(*given)
    return time.perf_counter() - begun


def peak_bytes() -> int:
    """Return the largest resident set of this program so far.

    Not `ru_maxrss` where Linux says more: that one begins with what the process held that
    started this program.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def take_turns(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Return the times that each side reports, a list each; the order turns every round.

    A machine that others use is slow for all sides of a round alike: ratios are taken within
    rounds (`ratio`).
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in list(sides)[:: 1 if number % 2 == 0 else -1]:
            times[name].append(sides[name]())
    return times


def ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """Return the median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(slow, fast, strict=True))


def side_by_side(functions: Sequence[Callable[[], object]]) -> float:
    """Return the time until all of these have ended, each on a Python thread of its own.

    torch keeps to one thread in each, and lets go of the interpreter in its products.
    """
    torch.set_num_threads(1)
    with ThreadPoolExecutor(len(functions)) as pool:
        begun = time.perf_counter()
        list(pool.map(lambda function: function(), functions))
        return time.perf_counter() - begun


def product_rate(dtype: torch.dtype, threads: int = 1, side: int = 1024) -> float:
    """Return the best rate in GF/s at which the CPU multiplies square matrices here: of torch's
    products and numpy's, each thread with its own, one library thread each."""
    tensors = [torch.rand(2, side, side, dtype=dtype) for _ in range(threads)]
    repeats = min(50, 2 + int(5e9 / side**3))

    def multiply(pair) -> None:
        for _ in range(repeats):
            _ = pair[0] @ pair[1]

    best = float("inf")
    for pairs in (tensors, [tensor.numpy() for tensor in tensors]):
        work = [partial(multiply, pair) for pair in pairs]
        best = min(best, *(side_by_side(work) for _ in range(3)))
    return 2e-9 * side**3 * repeats * threads / best


def machine(threads: int, side: int = 1024) -> Table:
    """Return the table of the machine's own rates, the threads stated."""
    rows = [
        (str(dtype).removeprefix("torch."), threads, product_rate(dtype, threads, side))
        for dtype in (torch.float64, torch.float32)
    ]
    title = f"this machine: {os.cpu_count()} cores, torch {torch.__version__}"
    return Table(title, ("product rate", "threads", "GF/s"), rows)


def exponent(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Return b of y = a x^b by least squares in logarithms, and two standard errors of it."""
    u, v = np.log(np.asarray(x, float)), np.log(np.asarray(y, float))
    slope, intercept = np.polyfit(u, v, 1)
    rest = v - slope * u - intercept
    freedom = max(1, len(u) - 2)
    error = np.sqrt((rest**2).sum() / freedom / ((u - u.mean()) ** 2).sum())
    return float(slope), float(2.0 * error)


def at_level(errors: Sequence[float], counts: Sequence[float], level: float) -> float:
    """Return the count at which the error falls to `level`, on straight lines in logarithms.

    nan where it never does; the first count, more than is needed, where it is there from the
    start. Pairs without an error are left out.
    """
    known = [i for i in np.argsort(counts) if np.isfinite(errors[i]) and errors[i] > 0.0]
    order = np.array(known, int)
    e, c = np.log(np.asarray(errors, float)[order]), np.log(np.asarray(counts, float)[order])
    below = np.nonzero(e <= np.log(level))[0]
    if not len(below):
        return float("nan")
    i = int(below[0])
    if i == 0:
        return float(np.exp(c[0]))
    share = (e[i - 1] - np.log(level)) / (e[i - 1] - e[i])
    return float(np.exp(c[i - 1] + share * (c[i] - c[i - 1])))
