"""Points and targets as they are read: numbers, finite, not too many, images channels first."""

import math

import numpy as np

from lazycore.errors import DataError

MOST_ROWS, MOST_NUMBERS = 100_000, 10_000
LARGEST_NUMBER = 1e100
CURE = "correct the file, or give another data_file"


def checked(
    x: np.ndarray, y: np.ndarray, where: str, holes: bool = False, most: int = MOST_ROWS
) -> tuple[np.ndarray, np.ndarray]:
    """Return points and targets as numbers, images with their channels first.

    holes: whether numbers of a point may be missing (NaN). most: points, at most.
    """
    x, y = np.asarray(x), y.astype(np.float64)
    if not 1 <= x.ndim <= 4 or len(x) != len(y) or len(x) == 0:
        raise DataError(
            f"{where} holds points of shape {x.shape} and {len(y)} targets: give one target to "
            f"each point, and rows of numbers or images; {CURE}."
        )
    x = _channels_first(x[:, None] if x.ndim == 1 else x, where)
    if len(x) > most or math.prod(x.shape[1:]) > MOST_NUMBERS:
        raise DataError(
            f"{where} holds points of shape {x.shape}: at most {most:,} points of "
            f"{MOST_NUMBERS:,} numbers are read; {CURE}."
        )
    if x.size == 0:
        raise DataError(f"{where} holds points without a number; {CURE}.")
    finite = ~np.isinf(x) if holes else np.isfinite(x)
    if not (finite.all() and np.isfinite(y).all()):
        raise DataError(f"{where} holds NaN or ∞: every number must be finite; {CURE}.")
    if max(_size(x), _size(y)) > LARGEST_NUMBER:
        raise DataError(
            f"{where} holds numbers above {LARGEST_NUMBER:g}, whose squares are too large; {CURE}."
        )
    return x, y


def _size(values: np.ndarray) -> float:
    there = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    return max(abs(float(there.max())), abs(float(there.min()))) if there.size else 0.0


def _channels_first(x: np.ndarray, where: str) -> np.ndarray:
    """Return rows as they are, and images as (n, channels, height, width)."""
    if x.ndim == 2:
        return x
    if x.ndim == 3:
        return x[:, None]
    if x.shape[3] in (1, 3):
        return x.transpose(0, 3, 1, 2)
    if x.shape[1] in (1, 3):
        return x
    raise DataError(
        f"{where} holds images of shape {x.shape[1:]}, without 1 or 3 channels; {CURE}."
    )
