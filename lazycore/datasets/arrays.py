"""From the arrays of an npz file to points and targets."""

import io

import numpy as np

from lazycore.datasets import npz
from lazycore.datasets.rows import LAST, Raw
from lazycore.datasets.understood import Choices, Question
from lazycore.errors import DataError

PARTS = ("x_train", "y_train", "x_test", "y_test")
WHOLE = ("x", "y")
MOST_CLASSES = 100


def from_arrays(data: bytes, where: str, cure: str, largest: int, choices: Choices) -> Raw:
    """Return what an npz file holds: x_train, y_train, x_test and y_test, or x and y.

    Names may be in capitals. y may be words, truth values, a column, or rows that are 1 at the
    class and 0 elsewhere.
    """
    lower = (*PARTS, *WHOLE)
    both = (*lower, *(key.capitalize() for key in lower), *(key.upper() for key in lower))
    given = npz.read(io.BytesIO(data), where, both, largest, cure)
    found = {key.lower(): given[key] for key in reversed(both) if key in given}
    keys = PARTS if "x_train" in found else WHOLE
    if missing := [key for key in keys if key not in found]:
        raise DataError(
            f"{where} has no array {missing[0]}: an npz file holds x_train, y_train, x_test and "
            f"y_test, or x and y; {cure}."
        )
    points = [found[key] for key in keys[::2]]
    if any(x.dtype.kind not in "fiub" for x in points):
        raise DataError(f"{where} holds arrays that are no real numbers; {cure}.")
    targets, words = _targets([found[key] for key in keys[1::2]], where, cure)
    parts, left_out = [], 0
    for x, y in zip(points, targets, strict=True):
        kept = _kept(x, y, where, cure, choices)
        left_out += int((~kept).sum())
        parts.append((x if kept.all() else x[kept], y if kept.all() else y[kept]))
    return Raw(tuple(parts), "y", LAST, words, left_out=left_out)


def _targets(
    found: list[np.ndarray], where: str, cure: str
) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Return targets as numbers (n,) each, and the names of the classes where they were words."""
    found = [_one_each(y, where, cure) for y in found]
    if all(y.dtype.kind in "fiub" for y in found):
        return [y.astype(np.float64) for y in found], ()
    if not all(y.dtype.kind in "US" for y in found):
        raise DataError(f"{where} holds arrays that are no real numbers; {cure}.")
    texts = [np.char.decode(y, "latin-1") if y.dtype.kind == "S" else y for y in found]
    words = np.unique(np.concatenate(texts))
    if not 2 <= len(words) <= MOST_CLASSES:
        raise DataError(
            f"the words of y in {where} are {len(words)} different ones: from 2 to "
            f"{MOST_CLASSES} classes are read; {cure}."
        )
    codes = [np.searchsorted(words, y).astype(np.float64) for y in texts]
    return codes, tuple(str(word) for word in words)


def _one_each(y: np.ndarray, where: str, cure: str) -> np.ndarray:
    """Return one target to each point; rows that mark a class become its index."""
    if y.ndim < 2 or y.size == len(y):
        return y.reshape(-1)
    marks = y.ndim == 2 and y.dtype.kind in "fiub" and np.isin(y, (0, 1)).all()
    if marks and (y.sum(axis=1) == 1).all():
        return y.argmax(axis=1)
    raise DataError(
        f"{where} holds targets of shape {y.shape}: give one target to each point, as y[:, 0]; "
        f"{cure}."
    )


def _kept(x: np.ndarray, y: np.ndarray, where: str, cure: str, choices: Choices) -> np.ndarray:
    """Return which points are read, (n,); `Question` where values are missing and none chose."""
    if x.ndim == 0 or len(x) != len(y) or x.size == 0:
        return np.ones(len(y), bool)  # refused for its shape, further on
    flat = x.reshape(len(x), -1)
    some = np.isnan(flat).any(axis=1) if x.dtype.kind == "f" else np.zeros(len(x), bool)
    incomplete = some | np.isnan(y)
    if not incomplete.any():
        return ~incomplete
    if choices.missing == "refuse":
        raise Question(
            f"{where} holds NaN or ∞: values are missing in {incomplete.sum():,} of {len(x):,} "
            "points; give data_missing=drop_rows to leave such points out, data_missing=mean to "
            f"take the mean, or {cure}.", "data_missing", ("drop_rows", "mean"))  # fmt: skip
    return ~(incomplete if choices.missing == "drop_rows" else np.isnan(y))
