"""What the arrays and words of a record are: their names, kinds and axes, as they are declared.

A record from a file is held against the declarations (`lazycore.results.quantities`) where its
bytes become one (`RunResult.from_bytes`), so that no figure meets what it was not written for. A
name that is not declared may stand in a record all the same: it is a quantity that nothing draws
yet, numbers over the time.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from lazycore.errors import CorruptResult
from lazycore.results.quantities import DECLARED
from lazycore.results.quantities.declared import (
    ARRAY,
    KERNEL_TIME,
    MODELS,
    NUMBER,
    PATHS,
    RUN,
    TIME,
    WORD,
    WORDS,
)

__all__ = ["MODELS", "PATHS", "check_array", "check_record"]

STATES = ("done", "diverged")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,60}(\.[A-Za-z0-9_]{1,60}){0,3}")
MOST_AXES, MOST_NAMES, LONGEST_TEXT = 3, 300, 2000

Axes = tuple[str, ...]


def _axes(at: str, kind: str | None = None) -> dict[str, Axes]:
    """Return the further axes of what is declared to stand there, by its names in a record."""
    declared = DECLARED.items()
    return {key: q.axes for key, q in declared if q.at == at and kind in (None, q.kind)}


SERIES, SPARSE = _axes(TIME), _axes(KERNEL_TIME)
"""Quantities over the time, and over the times of the kernel, with their further axes."""
ARRAYS = _axes(RUN, ARRAY)
"""Arrays that hold for the run as a whole, and their axes."""
ONE_NUMBER, ONE_WORD, LISTS = (tuple(_axes(RUN, kind)) for kind in (NUMBER, WORD, WORDS))
"""Of the run as a whole: a number or nothing; words or nothing; lists of words."""
TOGETHER = tuple((key, other) for key, quantity in DECLARED.items() for other in quantity.needs)
"""A quantity, and one without which it says nothing."""

SIZES = {"inputs": (1, 2), "two directions": (2, 2), "outputs": (1, 10**6), "layers": (1, 10**5)}
SIZES |= {"grid points": (1, 2500), "points of the kernel": (1, 2000), "eigenvalues": (1, 10**5)}
"""Fewest and most along an axis, where that is not any number."""


def check_record(result: Any) -> None:
    """Raise `CorruptResult`, which names the array and what it must be, for a record whose
    names, kinds or shapes are none that a run has."""
    sizes: dict[str, int] = {}
    _times("time", result.time)
    _times("kernel_time", result.kernel_time)
    sizes["times"], sizes["kernel times"] = len(result.time), len(result.kernel_time)
    groups = (("series", SERIES, "times"), ("sparse", SPARSE, "kernel times"))
    for group, known, first in groups:
        for name, array in getattr(result, group).items():
            axes = (first, *known[name]) if name in known else None
            _fits(f"{group}/{name}", array, axes, sizes, first)
    for name, value in result.latest.items():
        if isinstance(value, np.ndarray):
            if name in (*ONE_NUMBER, *ONE_WORD, *LISTS) or name.endswith(".status"):
                _wrong(f"latest/{name}", value, "a number or words, no array")
            _fits(f"latest/{name}", value, ARRAYS.get(name), sizes, None)
        else:
            _is_plain(name, value)
    _names(result)


def check_array(
    name: str, array: np.ndarray, dtype: str, shape: tuple[int, ...], noun: str
) -> None:
    """Raise `CorruptResult` for an array that is not of just this type and shape."""
    if array.dtype != dtype or array.shape != shape:
        _wrong(name, array, f"{dtype} of shape {shape}", noun)


def _times(name: str, array: np.ndarray) -> None:
    floats = array.dtype.kind == "f" and array.ndim == 1
    if not floats or not np.isfinite(array).all() or (array < 0.0).any():
        _wrong(name, array, "finite times from 0 on, one axis")


def _fits(
    name: str, array: np.ndarray, axes: Axes | None, sizes: dict[str, int], first: str | None
) -> None:
    """Check one array against its axes, which bind their sizes for the arrays to come."""
    if array.dtype.kind != "f":
        _wrong(name, array, "real numbers")
    if axes is None:
        length = sizes[first] if first else None
        if array.ndim > MOST_AXES + 1 or (first and (not array.ndim or len(array) != length)):
            _wrong(name, array, f"of length {length}, one for each of the {first}")
        return
    if array.shape == (0,) and axes[0] == "marked stages":
        axes = axes[:1]  # of none there is no spectrum, nor how long one is
    fits = array.ndim == len(axes)
    for axis, length in zip(axes, array.shape, strict=False):
        fewest, most = SIZES.get(axis, (0, math.inf))
        fits = fits and fewest <= length <= most and sizes.setdefault(axis, length) == length
    if not fits:
        said = [f"{axis} {_size(axis, sizes)}".strip() for axis in axes]
        _wrong(name, array, f"of shape ({', '.join(said)})")


def _size(axis: str, sizes: Mapping[str, int]) -> str:
    """Return how long an axis must be, nothing where that is free."""
    fewest, most = SIZES.get(axis, (0, math.inf))
    if axis in sizes and fewest <= sizes[axis] <= most:
        return str(sizes[axis])
    return f"{fewest} to {most:g}" if axis in SIZES else ""


def _is_plain(name: str, value: Any) -> None:
    """Check what holds for the run as a whole and is no array."""
    if name in ARRAYS:
        raise CorruptResult(f"{name} of this record must be an array of numbers.")
    state = name.endswith(".status") and name.split(".")[0] in PATHS
    texts = value if name in LISTS and isinstance(value, list) else [value]
    if name in ONE_NUMBER or name.startswith("constants.") and not isinstance(value, str):
        right, what = value is None or _is_number(value), "a number"
    elif state:
        right, what = value in STATES, " or ".join(STATES)
    elif name in LISTS or name in ONE_WORD:
        right = all(isinstance(text, str) and len(text) <= LONGEST_TEXT for text in texts)
        right = (right and (name in ONE_WORD or value is texts)) or value is None
        what = "a list of words" if name in LISTS else "words"
    else:
        return
    if not right:
        raise CorruptResult(f"{name} of this record must be {what}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and abs(value) < 1e308


def _names(result: Any) -> None:
    """Check that every name is one, stands for one thing, and that what belongs together is
    there."""
    groups = (result.series, result.sparse, result.latest)
    names = [name for group in groups for name in group]
    if len(names) > MOST_NAMES:
        raise CorruptResult(f"a record holds at most {MOST_NAMES} quantities, not {len(names)}.")
    if odd := next((name for name in names if not NAME.fullmatch(name)), None):
        raise CorruptResult(f"{odd[:40]!r} is no name of a quantity: letters, digits, _ and dots.")
    known = set(names)
    for name in names:
        above = name.rpartition(".")[0]
        while above:
            if above in known:
                raise CorruptResult(f"{above} and {name} of this record cannot both be there.")
            above = above.rpartition(".")[0]
    for one, other in TOGETHER:
        if one in known and other not in known:
            raise CorruptResult(f"this record has {one} without {other}.")
    layers, by_layer = result.latest.get("layers"), "nonlinear.displacement_by_layer"
    if layers and by_layer in result.series and result.series[by_layer].shape[1] != len(layers):
        raise CorruptResult(f"layers of this record must be as many as {by_layer} has.")


def _wrong(name: str, array: np.ndarray, must_be: str, noun: str = "record") -> None:
    shape = f"shape {array.shape}" if array.ndim else "no shape"
    raise CorruptResult(
        f"the array {name} of this {noun} is {array.dtype} of {shape}: it must be {must_be}."
    )
