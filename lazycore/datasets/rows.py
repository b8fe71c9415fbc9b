"""From the columns of a table to points and targets: which are used, and as what numbers."""

from dataclasses import dataclass

import numpy as np

from lazycore.datasets import table, target
from lazycore.datasets.columns import MOST_CATEGORIES, Column, columns, why_left_out
from lazycore.datasets.understood import Choices, Question
from lazycore.errors import DataError

PREVIEWED, EXTRA = 8, 100
MOST_CELLS = 2**25
"""Rows that are shown as they are; columns that may be left out beside as many as are read."""
LAST = "last column"
"""What configs call the target of a plain table: the column in which it always was looked for."""


@dataclass(frozen=True)
class Raw:
    """What a file holds, before points are checked: one or two parts of x and y.

    Missing numbers are NaN. words: the names of the classes 0, 1, … where targets are words.
    target: its name; chosen: what a config calls it. inputs: a name for each number of a point.
    roles: (name, role) of each column.
    left_out: rows that are not among the parts.
    """

    parts: tuple[tuple[np.ndarray, np.ndarray], ...]
    target: str
    chosen: str
    words: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    roles: tuple[tuple[str, str], ...] = ()
    left_out: int = 0
    notes: tuple[str, ...] = ()
    preview: tuple[tuple[str, ...], ...] = ()


def from_table(data: bytes, where: str, cure: str, most: tuple[int, int], choices: Choices) -> Raw:
    """Return what the text of a table holds under these choices; `DataError` or `Question`.

    most: rows, and numbers of a point.
    """
    grid = table.read(data, where, cure, most[0], most[1] + EXTRA)
    found = columns(grid)
    gone = why_left_out(found, grid.numbered)
    for text in choices.without:
        gone[target.by_name(found, text, where, "data_without").position] = "as chosen"
    aim = _target(found, gone, choices, where, cure)
    gone = _useless(found, aim) | gone
    inputs = [c for c in found if c is not aim and c.position not in gone]
    if not inputs:
        raise DataError(
            f"{where} holds no rows of at least two numbers or words: beside the target "
            f"{aim.name} no column is left to learn from; {cure}."
        )
    _check(aim, inputs, found, where, cure)
    _check_size(inputs, len(aim.missing), where, cure)
    kept = _kept(aim, inputs, choices, grid, where, cure)
    numbers, names, shown = _inputs(inputs)
    y, words = _targets(aim)
    plain = aim is found[-1] and not grid.numbered
    roles = {aim.position: "target"} | gone
    return Raw(
        parts=((numbers[kept], y[kept]),),
        target=aim.name,
        chosen=LAST if plain else canonical(aim, found),
        words=words,
        inputs=tuple(names),
        roles=tuple((c.name, roles.get(c.position, "input")) for c in found),
        left_out=int((~kept).sum()),
        notes=(*grid.notes, *_of_names(grid), *shown, *_twins(aim, inputs)),
        preview=tuple(zip(*(cells[:PREVIEWED] for cells in grid.columns), strict=True)),
    )


def canonical(column: Column, among: list[Column]) -> str:
    """Return the text by which a config names a column: its name, or `column 3` where the name
    is long or odd."""
    odd = not target.NAME.fullmatch(column.name) or column.name in ("first", "last", LAST)
    twins = sum(c.name.lower() == column.name.lower() for c in among) > 1
    return f"column {column.position}" if odd or twins else column.name


def _target(
    found: list[Column], gone: dict[int, str], choices: Choices, where: str, cure: str
) -> Column:
    """Return the chosen target, or the one that is plain; it is not among those left out."""
    if choices.target:
        aim = target.by_name(found, choices.target, where, "data_target")
        if gone.pop(aim.position, None) == "as chosen" or aim.missing.all():
            raise DataError(
                f"the column {aim.name} of {where} cannot be the target, as it is left out or "
                "empty: give another data_target."
            )
        return aim
    free = [c for c in found if c.position not in gone]
    if len(free) < 2:
        names = ", ".join(f"{c.name} ({gone[c.position]})" for c in found if c.position in gone)
        raise DataError(
            f"{where} holds no rows of at least two numbers or words, a target and what it is "
            f"learned from, beside {names}; {cure}."
        )
    return target.target(free, where)


def _useless(found: list[Column], aim: Column) -> dict[int, str]:
    """Return why words beside the target tell nothing of it, by position."""
    wordy = [c for c in found if c.words and c is not aim and not c.missing.all()]
    same = {c.position: "the same word in each row" for c in wordy if len(c.values) == 1}
    other = [c for c in wordy if c.are_different and len(c.values) > 3 and not c.are_dates]
    return same | {c.position: "another word in each row" for c in other}


def _twins(aim: Column, inputs: list[Column]) -> list[str]:
    """Return what is to be said of inputs that are the target under other names."""
    k = len(aim.values)
    if not 2 <= k <= target.MOST_CLASSES or len(aim.missing) < 2 * k:
        return []
    known = aim.numbers if aim.numbers is not None else aim.words or ()
    found = []
    for column in (c for c in inputs if len(c.values) == k):
        other = column.numbers if column.numbers is not None else column.words or ()
        if len(set(zip(known, other, strict=True))) == k:
            found.append(
                f"{column.name} alone tells {aim.name}, one value to each: leave it out by "
                "data_without if it is the same thing."
            )
    return found


def _check(aim: Column, inputs: list[Column], found: list[Column], where: str, cure: str) -> None:
    """Refuse cells that are no numbers among numbers, dates, and too many words."""
    for column in (*inputs, aim):
        if column.bad:
            line, cell = column.bad
            said = f"row {line} of {where} holds {cell[:20]!r}, no finite number as the others of "
            said += column.name
            if column is aim:
                raise DataError(f"{said}; {cure}.")
            name = canonical(column, found)
            raise Question(
                f"{said}: give data_without={name} to leave the column out, or {cure}.",
                "data_without",
                (name,),
            )
    wordy = [c for c in inputs if c.words]
    dates = [c for c in wordy if c.are_dates]
    many = [c for c in wordy if len(c.values) > MOST_CATEGORIES]
    for these, what in ((dates, "dates or times"), (many, f"more than {MOST_CATEGORIES} words")):
        if these:
            names = "+".join(canonical(c, found) for c in these)
            raise Question(
                f"{where} holds {what} in {', '.join(c.name for c in these)}: give "
                f"data_without={names} to leave that out, or write numbers there.",
                "data_without",
                (names,),
            )
    if aim.words and not 2 <= len(aim.values) <= target.MOST_CLASSES:
        what = f"{len(aim.values)} different words, more than {target.MOST_CLASSES} classes"
        if len(aim.values) == 1:
            what = f"{str(aim.values[0])[:20]!r} in each row, so that there is nothing to learn"
        raise DataError(
            f"the target {aim.name} of {where} holds {what}: give another data_target, or {cure}."
        )


def _check_size(inputs: list[Column], rows: int, where: str, cure: str) -> None:
    """Refuse words that would become more numbers than are read."""
    width = sum(1 if c.words is None or len(c.values) == 2 else len(c.values) for c in inputs)
    if width * rows > MOST_CELLS:
        raise DataError(
            f"{where} holds {rows:,} rows of {width:,} numbers, words as columns of 0 and 1 among "
            f"them: at most {MOST_CELLS:,} numbers are read; {cure}."
        )


def _kept(
    aim: Column, inputs: list[Column], choices: Choices, grid: table.Grid, where: str, cure: str
) -> np.ndarray:
    """Return which rows are read, (n,); `Question` where values are missing and none chose."""
    without_target = aim.missing
    some = np.any([c.missing for c in inputs], axis=0)
    incomplete = some | without_target
    if not incomplete.any():
        return ~incomplete
    if choices.missing == "refuse":
        first = int(np.argmax(incomplete))
        column = next(c for c in (*inputs, aim) if c.missing[first])
        cell = grid.columns[column.position - 1][first]
        counts = [f"{c.name} ({c.missing.sum():,})" for c in (*inputs, aim) if c.missing.any()]
        shown = ", ".join(counts[:6]) + (", …" if len(counts) > 6 else "")
        what = repr(cell[:20]) if cell else "an empty cell"
        raise Question(
            f"row {grid.lines[first]} of {where} holds {what}, no finite number: missing in "
            f"{incomplete.sum():,} of {len(incomplete):,} rows, in {shown}; give "
            f"data_missing=drop_rows, data_missing=mean, or {cure}.",
            "data_missing",
            ("drop_rows", "mean"),
        )
    kept = ~(incomplete if choices.missing == "drop_rows" else without_target)
    if not kept.any():
        raise DataError(
            f"no row of {where} is left without those that miss a value: give data_missing=mean, "
            "or leave columns out by data_without."
        )
    return kept


def _inputs(inputs: list[Column]) -> tuple[np.ndarray, list[str], list[str]]:
    """Return the inputs as numbers (n, d), a name for each, and what is to be said of words.

    Of two words, the second by the alphabet is 1; of more, each has a column of 0 and 1.
    """
    parts, names, notes = [], [], []
    for column in inputs:
        if column.numbers is not None:
            parts.append(column.numbers)
            names.append(column.name)
            continue
        values = column.values.tolist()
        values = values[1:] if len(values) == 2 else values
        words = np.array(["" if word is None else word for word in column.words or ()])
        for value in values:
            parts.append(np.where(column.missing, np.nan, words == value))
            names.append(f"{column.name}={value[:20]}")
        listed = ", ".join(column.values.tolist())
        kind = "0 and 1" if len(values) == 1 else f"{len(values)} columns of 0 and 1"
        notes.append(f"The words of {column.name} ({listed[:80]}) become {kind}.")
    return np.array(parts).T, names, notes


def _targets(aim: Column) -> tuple[np.ndarray, tuple[str, ...]]:
    if aim.numbers is not None:
        return aim.numbers, ()
    index = {word: i for i, word in enumerate(aim.values.tolist())}
    codes = [np.nan if word is None else float(index[word]) for word in aim.words or ()]
    return np.array(codes), tuple(index)


def _of_names(grid: table.Grid) -> list[str]:
    return ["The first row only numbers the columns: not read."] if grid.numbered else []
