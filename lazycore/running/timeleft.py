"""How long a run still takes, by its own pace: an honest number or none. numpy only.

The share of a run that is done does not go as time does. A flow begins with its shortest steps
(share ~ tᵏ, k from 1 to 4, of a deep network more), a descent in equal steps (k = 1) with most of
its records; before either, something is built. So t = t₀ + c·share^(1/k) is fitted to the pace so
far for each of several k, and where those that fit say different things, nothing is said.
"""

from collections.abc import Sequence

import numpy as np

EARLIEST = 5.0
"""Seconds of a run before which no time left is told."""
LEAST_LEFT = 3.0
"""Seconds below which the rest of a run is not worth a word."""
LEAST_SHARE, FEWEST = 0.005, 4
"""Share of a run, and reports of its pace, before which nothing is known of it."""
POWERS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
"""The k that are tried."""
EVEN = (1.0,)
"""The k of what is done in equal parts, as the cells of a sweep."""
REMEMBERED = 50.0
"""Factor in the share of a run over which its pace is fitted: what was before tells little."""
AGREEING = 2.0
"""Factor between the shortest and the longest time left that still count as one answer."""


def time_left(
    passed: Sequence[tuple[float, float]], powers: Sequence[float] = POWERS
) -> float | None:
    """Return the seconds that are left of a run that has come to these (seconds, share).

    None before five seconds and a two-hundredth are done, where the fits disagree, and at the end.
    """
    seconds, share = np.asarray(passed, dtype=float).reshape(-1, 2).T
    if not len(seconds) or seconds[-1] < EARLIEST or share[-1] < LEAST_SHARE:
        return None
    recent = share >= max(share[-1] / REMEMBERED, 1e-12)
    seconds, share = seconds[recent], share[recent]
    if len(seconds) < FEWEST:
        return None
    fits = [fit for k in powers if (fit := _fitted(seconds, share ** (1.0 / k))) is not None]
    if not fits:
        return None
    error, left = min(fits)
    within = 2.0 * error + 0.01 * seconds[-1]
    believed = [other for off, other in fits if off <= within]
    agree = max(believed) <= AGREEING * min(believed)
    return left if agree and left >= LEAST_LEFT else None


def _fitted(seconds: np.ndarray, done: np.ndarray) -> tuple[float, float] | None:
    """Return how far off t = t₀ + c·done is, in seconds, and the time left by it; what was last
    counts most. None where it says that the run goes backwards."""
    weight = done / done.sum()
    middle, late = weight @ seconds, weight @ done
    spread = weight @ (done - late) ** 2
    slope = weight @ ((done - late) * (seconds - middle)) / spread if spread > 0.0 else 0.0
    if slope <= 0.0:
        return None
    off = seconds - middle - slope * (done - late)
    return float(np.sqrt(weight @ off**2)), float(slope * (1.0 - done[-1]))
