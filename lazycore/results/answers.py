"""What the runs of a sweep answer on the test points at last: one number a point."""

from typing import Any

import numpy as np

MOST = 2**22
"""Outputs that a table holds at most; of so many cells that they are more, fewer points each."""


def one_each(outputs: Any) -> np.ndarray:
    """Return these outputs as (points,) in single precision; none of several to a point."""
    if not isinstance(outputs, np.ndarray) or outputs.size != len(outputs):
        return np.array([])
    found = outputs.ravel().astype(np.float32)
    return np.where(np.isfinite(found), found, np.float32(np.nan))


def fit(outputs: np.ndarray, cells: int) -> bool:
    """Whether these are the answers of so many cells, as a table holds them."""
    return (
        outputs.dtype == np.float32
        and outputs.ndim == 2
        and len(outputs) == cells
        and 0 < outputs.size <= MOST
        and not np.isinf(outputs).any()
    )
