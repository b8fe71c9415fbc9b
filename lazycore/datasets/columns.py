"""Columns of a table as numbers or as words, and which of them is not there to be learned from."""

import re
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from lazycore.datasets.numerals import is_missing, number
from lazycore.datasets.table import Grid
from lazycore.machine.once import once

MOST_CATEGORIES = 20
"""Different words of an input up to which each becomes a column of 0 and 1."""

LONGEST_NAME = 60
SAME = 1e-9
"""Share of their size by which numbers may differ and still be one: what rounding leaves."""
INDEX = re.compile(r"(index|id|idx|row|rows|rownames|row_?names?|row_?(id|no|num|number)|#|nr|no|"
                   r"num|s\.?no\.?|obs|level_0|record|record_?(id|no)|unnamed: ?\d+)")  # fmt: skip
IDENTITY = re.compile(r"(.*[_ .-])?(id|uuid|guid)|.*[a-z](Id|ID)")
DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})([T ].*)?|"
    r"\d{1,2}:\d{2}(:\d{2})?|\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{2,4}|[A-Za-z]{3,9} \d{1,2},? \d{4}"
)


@dataclass(frozen=True)
class Column:
    """One column of a file, by its name and its number from 1.

    numbers: (n,) with NaN where a value is missing, None for words. words: the same for words,
    None where one is missing. bad: a (line, cell) that is no number among numbers.
    """

    name: str
    position: int
    is_named: bool
    numbers: np.ndarray | None
    words: tuple[str | None, ...] | None
    bad: tuple[int, str] | None = None

    @once
    def missing(self) -> np.ndarray:
        """Which rows have no value, (n,)."""
        if self.numbers is not None:
            return np.isnan(self.numbers)
        return np.array([word is None for word in self.words or ()])

    @once
    def values(self) -> np.ndarray:
        """The different values, sorted: numbers, or words by the alphabet."""
        if self.numbers is not None:
            return np.unique(self.numbers[~self.missing])
        return np.array(sorted({word for word in self.words or () if word is not None}))

    @property
    def are_different(self) -> bool:
        """Whether no two rows have the same value, and none is missing."""
        return len(self.values) == len(self.missing)

    @property
    def is_whole(self) -> bool:
        """Whether all values are whole numbers."""
        return self.numbers is not None and len(self.values) > 0 and not np.any(self.values % 1.0)

    @property
    def are_dates(self) -> bool:
        """Whether most words are dates or times."""
        there = [word for word in self.words or () if word is not None]
        return 2 * sum(bool(DATE.fullmatch(word)) for word in there) > len(there)

    @property
    def counts(self) -> bool:
        """Whether it counts the rows, from 0 or 1."""
        if self.numbers is None:
            return False
        return any(np.array_equal(self.numbers, np.arange(len(self.missing)) + a) for a in (0, 1))


def columns(grid: Grid) -> list[Column]:
    """Return the columns of a table: numbers where at least half of the values are, else words."""
    names = grid.names or ("",) * len(grid.columns)
    found = [_column(grid, i, name) for i, name in enumerate(names)]
    again = {name for name, count in Counter(names).items() if count > 1}
    return [
        replace(c, name=f"column {c.position}", is_named=False) if c.name in again else c
        for c in found
    ]


def why_left_out(all_columns: list[Column], numbered: bool) -> dict[int, str]:
    """Return why columns are neither inputs nor targets, by position.

    Empty ones; ones that name or count the rows: the first one without a name beside named
    ones; names such as index and id over values of which no two are equal; a first column that
    counts where no column has a name, if others are left; words that are different in each row.
    """
    found, first = {}, all_columns[0]
    named = any(c.is_named for c in all_columns)
    for column in all_columns:
        if column.missing.all():
            found[column.position] = "empty"
        elif _is_index(column):
            found[column.position] = "names the rows"
        elif _is_free_text(column):
            found[column.position] = "another word in each row"
    left = len(all_columns) - len(found)
    plain = first.position not in found and not first.is_named and left >= 3
    if plain and named and not numbered and (first.is_whole or first.words):
        found[first.position] = "names the rows"
    elif plain and (numbered or not named) and first.counts and len(first.missing) >= 5:
        found[first.position] = "counts the rows"
    return found


def are_constant(x: np.ndarray) -> np.ndarray:
    """Return which columns of x (n, d) are constant but for rounding, (d,).

    Their largest and smallest number differ by 10⁻⁹ of their size at most: divided by such a
    spread, rounding errors would pass for data (7.7 ± 10⁻¹⁵ would become ±1).
    """
    high, low = (f.reduce(x, axis=0).astype(np.float64) for f in (np.fmax, np.fmin))
    return ~(high - low > SAME * np.maximum(np.abs(high), np.abs(low)))


def _is_index(column: Column) -> bool:
    """Whether a column is named as one that names the rows, and does."""
    if not column.is_named or not column.are_different or not (column.is_whole or column.words):
        return False
    name, low = column.name, column.name.lower()
    return bool(INDEX.fullmatch(low) or IDENTITY.fullmatch(name) or IDENTITY.fullmatch(low))


def _is_free_text(column: Column) -> bool:
    many = column.words is not None and len(column.words) > MOST_CATEGORIES
    return many and column.are_different and not column.are_dates


def _are_categories(there: list[str | None], values: list[float | None]) -> bool:
    """Whether few words come again and again among few numbers, as in 0, 1, 2, 3+."""
    odd = Counter(cell for cell, v in zip(there, values, strict=True) if cell and v is None)
    different = len({cell for cell in there if cell is not None})
    often = bool(odd) and min(odd.values()) >= 3
    return often and different <= MOST_CATEGORIES and len(there) >= 3 * different


def _printable(name: str) -> str:
    """Return a name as it may stand in a sentence: short, and without signs that control."""
    text = "".join(sign if sign.isprintable() else "�" for sign in name[:LONGEST_NAME])
    return text if len(name) <= LONGEST_NAME else text[:-1] + "…"


def _column(grid: Grid, index: int, name: str) -> Column:
    cells = grid.columns[index]
    label = _printable(name) or f"column {index + 1}"
    head = (label, index + 1, bool(name) and not grid.numbered)
    try:
        fast = np.array([float(cell) for cell in cells])
        if np.isfinite(fast).all() and not grid.style.decimal_comma:
            return Column(*head, fast, None)
    except ValueError:
        pass
    there = [None if is_missing(cell) else cell for cell in cells]
    values = [None if cell is None else number(cell, grid.style) for cell in there]
    count, known = sum(cell is not None for cell in there), sum(v is not None for v in values)
    if 2 * known < count or _are_categories(there, values):
        return Column(*head, None, tuple(there))
    pairs = zip(grid.lines, there, values, strict=True)
    bad = next(((line, cell) for line, cell, v in pairs if v is None and cell is not None), None)
    numbers = np.array([np.nan if value is None else value for value in values])
    return Column(*head, numbers, None, bad)
