"""A column of a sweep's table over two of its axes, and the scales of its cells. No torch."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError, CorruptResult
from lazycore.results import answers
from lazycore.results.laid import laid
from lazycore.results.recorded import check_array

REDUCTIONS: dict[str, Callable[[np.ndarray], Any]] = {
    "median": np.median,
    "mean": np.mean,
    "min": np.min,
    "max": np.max,
}
VERDICTS = ("", "lazy", "crossover", "rich", "undecided")
"""As a table numbers them; "" where a cell has none."""


def counts_of(verdicts: np.ndarray) -> dict[str, int]:
    """Return how often each verdict is among these places in `VERDICTS`."""
    counts = np.bincount(verdicts, minlength=len(VERDICTS)).tolist()
    return {word: n for word, n in zip(VERDICTS, counts, strict=True) if word and n}


def reduced(
    column: np.ndarray,
    axes: Mapping[str, tuple[Any, ...]],
    x: str,
    y: str,
    at: Mapping[str, Any],
    reduce: Callable[[np.ndarray], Any],
) -> np.ndarray:
    """Return a column over two axes, (values of y, values of x), NaN where no cell has a number.

    Args:
        column: (cells,), the last axis fastest. axes: each with its values, in order.
        at: axes that are held at a value. reduce: of the numbers over all other axes.
    Raises `ConfigError` for a value that is not on its axis.
    """
    others = [name for name in axes if name not in (*at, x, y)]
    cube = laid(axes, column, (*at, y, x, *others))
    cube = cube[tuple(_position(axes, name, value) for name, value in at.items())]
    lanes = cube.reshape(*cube.shape[:2], -1)
    found = np.full(cube.shape[:2], np.nan)
    for place in np.ndindex(*found.shape):
        numbers = lanes[place][np.isfinite(lanes[place])]
        if numbers.size:
            found[place] = reduce(numbers)
    return found


def _position(axes: Mapping[str, tuple[Any, ...]], name: str, value: Any) -> int:
    if value not in axes[name]:
        values = ", ".join(map(str, axes[name]))
        raise ConfigError(f"{name}={value} is not on its axis: give {values}.")
    return axes[name].index(value)


def scales(config: SweepConfig, known: Mapping[str, Any]) -> dict[str, list[float]]:
    """Return α and α√width of every cell, those that `known` has not got."""
    base, configs = config.base.resolve(), [cell.config for cell in config.cells]
    if base.alpha is None or base.width is None:
        return {}
    alphas = [base.alpha if c.alpha is None else c.alpha for c in configs]
    widths = [base.width if c.width is None else c.width for c in configs]
    both = {
        "alpha": alphas,
        "alpha_sqrt_width": [a * w**0.5 for a, w in zip(alphas, widths, strict=True)],
    }
    return {name: column for name, column in both.items() if name not in known}


def check_table(
    arrays: Mapping[str, np.ndarray], total: int, names: list[str], codes: tuple[int, int]
) -> None:
    """Raise `CorruptResult` where these are not the arrays of a table.

    total: cells. names: of its columns. codes: how many statuses and how many verdicts there are.
    """
    values, status, verdict = arrays["values"], arrays["status"], arrays["verdict"]
    outputs = arrays.get("test_outputs")
    check_array("values", values, "float64", (total, len(names)), "sweep")
    check_array("status", status, "uint8", (total,), "sweep")
    check_array("verdict", verdict, "uint8", (total,), "sweep")
    fits = (
        len(arrays) == (3 if outputs is None else 4)
        and len(set(names)) == len(names)
        and status.max() < codes[0]
        and verdict.max() < codes[1]
        and not np.isinf(values).any()
        and (outputs is None or answers.fit(outputs, total))
    )
    if not fits:
        raise CorruptResult("the arrays of this sweep do not fit its cells.")
