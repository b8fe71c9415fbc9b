"""A column of a sweep's table laid over its axes: an array with one dimension for each. numpy only.

`SweepResult.grid` (`tabled.reduced`) and the phases' cube are made of it. A plane
(`lazycore.results.plane`) is not: it is of the rows of a frame, some of the cells in any order, and
keeps each run with its words. A line of a figure (`lazycore.papers.tables`) puts the values of
several sweeps side by side.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def laid(axes: Mapping[str, Sequence[Any]], column: np.ndarray, order: Sequence[str]) -> np.ndarray:
    """Return a column over the axes in another order: (values of each of `order`, …).

    Args:
        axes: those of the sweep with their values; its cells go through them, the last fastest.
        column: (cells, …), one entry or more for each cell.
        order: every axis of the sweep, and others: those are of length one.

    >>> laid({"a": (1, 2), "b": (3, 4, 5)}, np.arange(6), ("b", "c", "a")).tolist()
    [[[0, 3]], [[1, 4]], [[2, 5]]]
    """
    known = [name for name in order if name in axes]
    more = column.shape[1:]
    whole = column.reshape(*map(len, axes.values()), *more)
    turned = np.moveaxis(whole, [*map(list(axes).index, known)], range(len(known)))
    return turned.reshape(*(len(axes.get(name, (None,))) for name in order), *more)
