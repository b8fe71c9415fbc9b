"""A record as plain data: columns of snapshots, JSON-able values, nested names. No torch."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def is_array(value: Any) -> bool:
    """Whether this is an array, which a file holds as such."""
    return isinstance(value, np.ndarray)


def stacked(rows: list[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Return the quantities of these moments as arrays (T, …), NaN where one has none."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _column([row.get(name) for row in rows]) for name in names}


def _column(values: list[Any]) -> np.ndarray:
    """Return the values as one array, NaN where a row has none."""
    first = next(v for v in values if v is not None)
    blank = np.full(np.shape(first), np.nan)
    stacked = np.stack([blank if v is None else np.asarray(v) for v in values])
    return stacked if stacked.dtype == np.float32 else stacked.astype(float)


def plain(value: Any) -> Any:
    """Return `value` as JSON-able data, null for NaN and ∞."""
    if is_array(value):
        return plain(value.tolist())
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has dotted names as a tree of objects."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, leaf = name.split(".")
        node = tree
        for parent in parents:
            node[parent] = node.get(parent) or {}  # null where the run has no such path
            node = node[parent]
        node[leaf] = value
    return tree
