"""From what is recorded over time to the number that a run comes to. numpy only.

*Final* is at the last recorded time, or at the end of a model that stops at its margins (of what
is of both: at the first such end), NaN where a model has diverged before; *largest* and
*smallest* are over all recorded times.
"""

import math
from typing import Any

import numpy as np

from lazycore.results.quantities.declared import MODELS, Record


def final(record: Record, key: str) -> float:
    """Return the last value of a curve; NaN where a model that it is of has diverged."""
    owners = {key.split(".")[0]} & set(MODELS) or MODELS
    values = record.series.get(key)
    stops = (record.config or {}).get("stop") == "margins"
    diverged = any(record.latest.get(f"{model}.status") == "diverged" for model in owners)
    if stops and not diverged and values is not None:
        values = values[np.isfinite(values)]
    return last(values)


def final_of_kernel(record: Record, key: str) -> float:
    """Return the last value at the times of the kernel; NaN where the network has diverged."""
    return math.nan if has_diverged(record) else last(record.sparse.get(key))


def largest(record: Record, key: str) -> float:
    """Return the largest finite value over time, −∞ where there is none."""
    values = record.series.get(key, record.sparse.get(key, record.latest.get(key)))
    return greatest(values)


def smallest(record: Record, key: str) -> float:
    """Return the smallest finite value over time, ∞ where there is none."""
    values = record.series.get(key)
    return -greatest(None if values is None else -values)


def once(record: Record, key: str) -> float:
    """Return what holds for the run as a whole; NaN where that is no number."""
    value = record.latest.get(key)
    return float(value) if isinstance(value, (int, float)) else math.nan


def last_of_list(record: Record, key: str) -> float:
    """Return the last of several numbers that hold for the run as a whole."""
    return last(record.latest.get(key))


def has_diverged(record: Record) -> bool:
    """Whether the network has diverged."""
    return record.latest.get("nonlinear.status") == "diverged"


def last(values: Any) -> float:
    """Return the last of the numbers (T,), NaN for none or for another shape."""
    return (
        float(values[-1]) if values is not None and values.ndim == 1 and values.size else math.nan
    )


def greatest(values: Any) -> float:
    """Return the largest finite of the numbers (T,), −∞ for none, NaN for another shape."""
    if values is None or values.ndim != 1:
        return math.nan
    return float(np.max(values[np.isfinite(values)], initial=-math.inf))
