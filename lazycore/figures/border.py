"""The border of the verdict on a map of a sweep: where the cells begin that are lazy.

A verdict is of the gap and of the kernel, so that no contour of one of them is its border. It is
drawn along the sides of the cells, for a verdict is a word and has no value between two of them.
"""

from collections.abc import Iterator

import numpy as np

from lazycore.figures import style
from lazycore.figures.crosses import DECORATION, RIM
from lazycore.figures.style import Trace
from lazycore.results.plane import Axis, Cell, Plane

NAME = "border of the verdict lazy"
Side = tuple[tuple[float, float], tuple[float, float]]


def traces(plane: Plane) -> list[Trace]:
    """Return the border with its rim, nothing where no two neighbours differ in being lazy."""
    sides = list(_sides(plane))
    if not sides:
        return []
    gap = (np.nan, np.nan)
    points = np.array([point for side in sides for point in (*side, gap)][:-1])
    common = {
        "type": "scatter",
        "mode": "lines",
        "x": style.numbers(_back(points[:, 0], plane.x)),
        "y": style.numbers(_back(points[:, 1], plane.y)),
        "hoverinfo": "skip",
    }
    return [
        common | {"name": f"{NAME}, rim", "line": {"color": RIM, "width": 8}} | DECORATION,
        common | {"name": NAME, "line": {"color": style.GREEN, "width": 4}},
    ]


def _sides(plane: Plane) -> Iterator[Side]:
    """Yield the sides, spaced as the axes are, between a cell that is lazy and one that is not."""
    x = _edges(plane.x)
    y = _edges(plane.y) if plane.y else np.array([-0.5, 0.5])
    for j, row in enumerate(plane.rows):
        for i, cell in enumerate(row):
            if i + 1 < len(row) and _differ(cell, row[i + 1]):
                yield (x[i + 1], y[j]), (x[i + 1], y[j + 1])
            if j + 1 < len(plane.rows) and _differ(cell, plane.rows[j + 1][i]):
                yield (x[i], y[j + 1]), (x[i + 1], y[j + 1])


def _differ(one: Cell, other: Cell) -> bool:
    """Whether just one of two cells is lazy, and something is known of both."""
    known = all(any(run.status != "missing" for run in cell.runs) for cell in (one, other))
    return known and (one.verdict == "lazy") != (other.verdict == "lazy")


def _edges(axis: Axis) -> np.ndarray:
    """Return where the cells of an axis begin and end, spaced as the axis is."""
    at, (first, last) = axis.spaced, axis.ends
    return np.array([first, *(at[:-1] + at[1:]) / 2.0, last])


def _back(places: np.ndarray, axis: Axis | None) -> np.ndarray:
    return 10.0**places if axis is not None and axis.log else places
