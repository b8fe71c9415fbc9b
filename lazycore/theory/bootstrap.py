"""Exponents over seeds, with intervals by resampling the seeds. numpy only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lazycore.theory import lazy

DRAWS = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval; `seeds` is how many it was resampled over."""

    value: float
    low: float
    high: float
    seeds: int


def exponent(x: np.ndarray, rows: Sequence[np.ndarray], seed: int = 0) -> Interval | None:
    """Return the exponent b of y ∝ x^b, the mean over seeds of each seed's own, or None.

    A seed's exponent is the least-squares slope of log y on log x. Seeds are resampled whole,
    for what one seed gives at neighbouring x goes together. With fewer than three seeds there
    is nothing to resample: the interval is Student's, from the scatter about the line through
    the geometric means. A seed with fewer than three x has none; None where no seed has one.

    Args:
        x: (k,) positive places.
        rows: (N, k) values, a row a seed; what is not positive and finite is left out.
    """
    values = np.array(rows).reshape(len(rows), len(x))
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.where(values > 0.0, np.log(values), np.nan)
    logs[~np.isfinite(logs)] = np.nan
    known = np.isfinite(logs)
    if not (x > 0.0).all() or not len(values):
        return None
    slopes = [
        lazy.slope(x[k].tolist(), np.exp(row[k]).tolist())[0]
        for row, k in zip(logs, known, strict=True)
        if k.sum() >= 3
    ]
    if len(slopes) >= 3:
        return mean_interval(np.array(slopes), seed)
    logs = logs[known.sum(axis=1) >= 3]
    if not len(logs):
        return None
    used = np.isfinite(logs).any(axis=0)
    means = np.exp(np.nanmean(logs[:, used], axis=0))
    return Interval(*lazy.slope(x[used].tolist(), means.tolist()), seeds=len(logs))


def mean_interval(values: np.ndarray, seed: int = 0, draws: int = DRAWS) -> Interval:
    """Return the mean of three or more values with its bootstrapped 95 % interval.

    The percentile interval of the resampled means, widened about the mean by
    √(N/(N−1)) · t_{N−1}/z: resampling N values understates their spread by the one factor and
    takes it for known by the other, which matters at N = 3 or 5 (after Hesterberg 2014, "What
    Teachers Should Know about the Bootstrap", arXiv:1411.5279). The generator is seeded: the
    same values give the same interval.
    """
    count = len(values)
    picked = np.random.default_rng(seed).integers(count, size=(draws, count))
    return interval(float(values.mean()), values[picked].mean(axis=1), count)


def interval(value: float, resampled: np.ndarray, count: int) -> Interval:
    """Return `value` with the 95 % interval of its resampled values, widened about it as above.

    resampled: (draws,), NaN where a draw has none. count: N, what was resampled.
    """
    low, high = np.nanquantile(resampled, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0]).tolist()
    wider = float(np.sqrt(count / (count - 1)) * lazy.student_975(count - 1) / 1.959964)
    return Interval(value, value + wider * (low - value), value + wider * (high - value), count)
