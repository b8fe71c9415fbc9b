"""Which column of a table is the target, and whether it is classes or real numbers.

Named in a config, else the one column whose name says so; else the last, as most tables have
it. Where a person would hesitate, a `Question` is asked instead.
"""

import re

import numpy as np

from lazycore.datasets.columns import Column
from lazycore.datasets.understood import Question
from lazycore.errors import DataError

PLAINLY = re.compile(r"targets?|labels?|class_?label")
"""Names of targets, wherever the column is."""
CLEAR = re.compile(PLAINLY.pattern + r"|class|classes|y|output|outcome")
"""Names of targets at either end of a table; elsewhere a reason to ask."""
USUAL = re.compile(
    r"(species|variety|type|category|diagnosis|result|response|survived|quality|grade|price|"
    r"sale_?price|cost|charges|salary|income|value|median_house_value|medv|mpg|score|rating|churn|"
    r"exited|default|death_event|digit|sentiment|temperature|energy|yield|strength|rings)"
)
"""The same, for a column at the end above all: there it needs no other name."""
OF_CLASSES = re.compile(
    r"(label|labels|class|classes|class_?label|species|variety|type|category|diagnosis|survived|"
    r"churn|exited|default|death_event|digit|sentiment)"
)
"""Names whose whole numbers are classes."""
NAME = re.compile(
    r"[^\s,:;+&#?=%/\\\"'<>]([^,:;+&#?=%/\\\"'<>\x00-\x1f]{0,38}[^\s,:;+&#?=%/\\\"'<>])?"
)
"""Names by which a config can name a column: short, without what parts fields, links or lists."""
MOST_CLASSES, FEW, MANY_EACH = 100, 20, 10


def target(free: list[Column], where: str) -> Column:
    """Return the target among the columns that are neither empty nor names of rows.

    Raises `Question` (`data_target`) where it is not clear.
    """
    first, last = free[0], free[-1]
    clear = [c for c in free if c.is_named and CLEAR.fullmatch(_plain(c.name))]
    # x and y beside other columns are coordinates.
    if any(_plain(c.name) == "x" for c in free) and len(free) > 2 and _plain(last.name) != "y":
        clear = [c for c in clear if _plain(c.name) != "y"]
    usual = [c for c in free if c.is_named and USUAL.fullmatch(_plain(c.name))]
    if clear in ([], [last]) and last in [*clear, *usual]:
        return last
    ends = [c for c in usual if c in (first, last)]
    sure = [c for c in clear if c is first or PLAINLY.fullmatch(_plain(c.name))]
    if len(clear) == len(sure) == 1 and not ends:
        return clear[0]
    if not clear and usual == [first]:
        return first
    if clear or usual:
        raise _which([*clear, *usual, last], where)
    alike = not _are_classes(last) or (first.words and last.words)
    if not any(c.is_named for c in free) and _are_classes(first) and alike:
        raise _which([first, last], where)
    if last.words is not None and len(last.values) > MOST_CLASSES:
        raise _which([first, last], where)
    return last


def by_name(all_columns: list[Column], text: str, where: str, field: str) -> Column:
    """Return the column that a text names: `first`, `last`, its name, or its number from 1."""
    ends = {"first": all_columns[0], "last": all_columns[-1], "last column": all_columns[-1]}
    exact = [c for c in all_columns if c.name == text]
    alike = [c for c in all_columns if c.name.lower() == text.strip().lower()]
    for found in (exact, alike):
        if len(found) == 1:
            return found[0]
    if text in ends:
        return ends[text]
    number = re.fullmatch(r"(?:column )?(\d{1,6})", text)
    if number and 1 <= int(number[1]) <= len(all_columns):
        return all_columns[int(number[1]) - 1]
    names = tuple(c.name for c in all_columns)
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    raise Question(
        f"{where} has no column {text[:40]!r}: give {field} as one of {shown}, or as its number "
        f"from 1 to {len(names)}.", field, names)  # fmt: skip


def classes(y: np.ndarray, name: str, words: tuple[str, ...], kind: str, where: str) -> np.ndarray:
    """Return the values that stand for the classes of these numbers, (k,); none: real numbers.

    y: (n,) without NaN; words: what 0, 1, … stand for, if words. kind: `classes` or `numbers`
    where that was chosen, else empty. Then classes are: −1 and 1; the whole numbers 0 … k − 1
    and 1 … k, unless hardly one comes twice; any two whole numbers, some of them twice; two
    values of twenty rows; and whole numbers under a name such as class or species. Few other
    whole numbers, ten rows to each or more, are asked about; what else there is, is real.
    """
    values = np.unique(y)
    n, k = len(y), len(values)
    if words and kind != "numbers":
        return np.arange(len(words))
    if words or (kind == "classes" and not 2 <= k <= MOST_CLASSES):
        what = "words" if words else f"{k:,} different numbers, not 2 to {MOST_CLASSES}"
        raise DataError(f"the target {name} of {where} holds {what}: it cannot be taken as {kind}.")
    if kind:
        return values if kind == "classes" else values[:0]
    whole = not np.any(values % 1.0)
    if not 2 <= k <= MOST_CLASSES or (not whole and (k > 2 or n < FEW)):
        return values[:0]
    if k == 2 and (n > 2 or values.tolist() in ([0.0, 1.0], [-1.0, 1.0])):
        return values
    if np.array_equal(values, np.arange(k)) and (k <= 3 or 2 * n >= 3 * k):
        return values
    if np.array_equal(values, np.arange(k) + 1) and k <= FEW and n >= 2 * k > 2:
        return values
    if OF_CLASSES.fullmatch(_plain(name)) and (k <= FEW or n >= 2 * k):
        return values
    if 3 <= k <= FEW and n >= MANY_EACH * k:
        shown = ", ".join(f"{value:g}" for value in values[:8]) + (", …" if k > 8 else "")
        raise Question(
            f"the target {name} of {where} holds {k} whole numbers, {shown}: give data_classes={k} "
            "to take them as classes, or data_classes=0 as numbers.",
            "data_classes",
            (str(k), "0"),
        )
    return values[:0]


def _which(candidates: list[Column], where: str) -> Question:
    names = tuple(dict.fromkeys(c.name for c in sorted(candidates, key=lambda c: c.position)))
    choices = " or ".join(f"data_target={name}" for name in names)
    return Question(f"which column of {where} is the target? Give {choices}.", "data_target", names)


def _are_classes(column: Column) -> bool:
    """Whether a column without a name is classes: few words, or whole numbers from 0 or 1."""
    k = len(column.values)
    if not 2 <= k <= FEW or len(column.missing) < 2 * k:
        return False
    whole = any(np.array_equal(column.values, np.arange(k) + a) for a in (0, 1))
    return column.words is not None or whole


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_")
