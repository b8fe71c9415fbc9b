"""From which scale on runs are lazy: α*, with its interval and what decides it. No torch.

A run is lazy where its relative gap is below 5 % and its kernel changed by less than 0.1
(`lazycore.results.verdict`). Along an axis α* is where the later of the two falls through its
threshold.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lazycore.results.plane import Axis, Cell, plane_of
from lazycore.results.verdict import LAZY_GAP, LAZY_KERNEL_CHANGE, UNDECIDED
from lazycore.theory import bootstrap

if TYPE_CHECKING:
    import pandas as pd

THRESHOLDS = {"relative_gap": LAZY_GAP, "kernel_change": LAZY_KERNEL_CHANGE}
"""What the quantities of a lazy run are below."""
SAID = {
    "relative_gap": f"gap ({100.0 * LAZY_GAP:g} %)",
    "kernel_change": f"kernel ({LAZY_KERNEL_CHANGE:g})",
}
FEWEST_SEEDS = 3
"""Seeds below which there is nothing to resample."""


@dataclass(frozen=True)
class Onset:
    """Where runs begin to be lazy along an axis.

    value: α*; −∞ where they are lazy all over, ∞ nowhere, in the direction in which they get
    lazy. low, high: its interval. is_sure: whether that is a 95 % interval over seeds, and not
    the neighbouring values between which it lies. seeds: N. criteria: what decides, of each seed
    that has a crossing. rising: lazy above α*, else below. ends: the first and the last value
    along the axis that counts. alike: seeds whose own α* is beyond the same end, where α* is.
    left_out: runs that ended and do not count.
    """

    value: float
    low: float
    high: float
    is_sure: bool
    seeds: int
    criteria: tuple[str, ...]
    rising: bool
    ends: tuple[float, float]
    alike: int = 0
    left_out: int = 0

    @property
    def is_there(self) -> bool:
        """Whether α* is within the range that was swept."""
        return math.isfinite(self.value)

    @property
    def interval(self) -> str:
        """The interval in words, with N."""
        if self.is_sure:
            return f"{number(self.low)} to {number(self.high)}, 95 % over N = {self.seeds} seeds"
        if math.isfinite(self.low) and math.isfinite(self.high):
            within = f"between the neighbours {number(self.low)} and {number(self.high)}"
        elif math.isfinite(self.high):
            within = f"below {number(self.high)}"
        else:
            within = f"above {number(self.low)}" if math.isfinite(self.low) else "anywhere"
        return f"{within}; N = {self.seeds}"

    @property
    def among(self) -> str:
        """In how many of the seeds it is beyond the range, as α* is."""
        if self.alike in (0, self.seeds):
            return f"N = {self.seeds}"
        return f"in {self.alike} of {self.seeds} seeds"

    @property
    def decides(self) -> str:
        """What decides, in words: that of most seeds, and in how many of them."""
        if not self.criteria:
            return ""
        (name, count), *_ = Counter(self.criteria).most_common()
        among = "" if count == len(self.criteria) else f", in {count} of {len(self.criteria)}"
        return f"{SAID[name]}{among}"


def number(value: float) -> str:
    """Return a number with two digits, without a power of ten where it has a few only."""
    return f"{float(f'{value:.2g}'):g}".replace("-", "−")


def sentence(found: Onset | None, axis: Axis) -> str:
    """Return in words from which value of the axis on runs are lazy."""
    if found is None:
        return "Nothing is known yet of where runs are lazy: no run that ended has a verdict."
    first, last = found.ends if found.rising else found.ends[::-1]
    if found.is_there:
        way = "from" if found.rising else "up to"
        said = f"Lazy {way} {axis.said}* = {number(found.value)} ({found.interval})."
        said += f" What decides is the {found.decides}."
    elif found.value > 0.0:
        way = "up to" if found.rising else "down to"
        said = f"Nowhere lazy {way} {axis.shown(last)} ({found.among})."
    else:
        said = f"Lazy all over, from {axis.shown(first)} to {number(last)} ({found.among})."
    if found.left_out:
        many = f"{found.left_out} runs are" if found.left_out > 1 else "One run is"
        said += f" {many} left out: undecided, diverged or failed."
    return said


def onset(places: np.ndarray, values: Mapping[str, np.ndarray], log: bool = True) -> Onset | None:
    """Return from which place on runs are lazy, None where no run counts.

        α*_s = max over q of the last α with q_s(α) = θ_q,   α* = geometric mean over seeds s

    q: the relative gap and the kernel change, θ: 0.05 and 0.1; between neighbouring places the
    logarithm of q is straight in log α, and in α where the axis is not spaced by ratio (`log`).
    Derived here, from the definition of the verdict. Where runs get lazy downwards, it is the
    mirror image. With three seeds that all cross, the interval is bootstrapped over the seeds
    (`bootstrap.mean_interval`, of log α*); else it is the neighbouring places that the crossings
    of all seeds lie between. Of seeds that partly do not cross, it is the upper median.

    Args:
        places: (k,) increasing, positive where `log`.
        values: (N, k) of each of `THRESHOLDS`, NaN where a run does not count.

    >>> alphas = np.array([1.0, 10.0, 100.0])
    >>> found = onset(alphas, {"relative_gap": 1.0 / alphas, "kernel_change": 0.2 / alphas})
    >>> round(found.value, 3), found.interval, found.decides
    (20.0, 'between the neighbours 10 and 100; N = 1', 'gap (5 %)')
    """
    heights = {name: _heights(values[name], level) for name, level in THRESHOLDS.items()}
    both = np.maximum(*heights.values())
    known = ~np.isnan(both)
    columns, rows = np.flatnonzero(known.any(axis=0)), np.flatnonzero(known.any(axis=1))
    if not rows.size:
        return None
    at = np.log(places) if log else np.asarray(places, dtype=float)
    rising = bool(np.nanmedian(both[:, columns[-1]]) <= np.nanmedian(both[:, columns[0]]))
    side = 1 if rising else -1
    towards = (side * at)[::side]
    crossings = [
        {
            name: _crossing(towards, h[row][::side], known[row][::side])
            for name, h in heights.items()
        }
        for row in rows
    ]
    deciding = [max(found, key=lambda name: found[name][0]) for found in crossings]
    ends = [found[name] for found, name in zip(crossings, deciding, strict=True)]
    value, low, high, is_sure = _together(np.array(ends))
    low, high = sorted(_back(side * end, log) for end in (low, high))
    return Onset(
        value=_back(side * value, log) if math.isfinite(value) else value,
        low=low,
        high=high,
        is_sure=is_sure,
        seeds=len(rows),
        criteria=tuple(n for n, e in zip(deciding, ends, strict=True) if math.isfinite(e[0])),
        rising=rising,
        ends=(float(places[columns[0]]), float(places[columns[-1]])),
        alike=sum(math.isinf(value) and end[0] == value for end in ends),
    )


def along(
    frame: "pd.DataFrame",
    axes: Mapping[str, Sequence[Any]],
    x: str,
    y: str | None = None,
    fixed: Mapping[str, Any] | None = None,
) -> list[Onset | None]:
    """Return where runs get lazy along x, for each value of y; the arguments of `plane_of`.

    None where no run counts, and along an axis of words.
    """
    gaps, changes = (plane_of(frame, axes, x, y, name, fixed) for name in THRESHOLDS)
    return [_of_rows(gaps.x, *rows) for rows in zip(gaps.rows, changes.rows, strict=True)]


def _of_rows(axis: Axis, gaps: Sequence[Cell], changes: Sequence[Cell]) -> Onset | None:
    if not axis.is_number:
        return None
    found: dict[str, np.ndarray] = {}
    left_out = 0
    for column, pair in enumerate(zip(gaps, changes, strict=True)):
        for gap, change in zip(pair[0].runs, pair[1].runs, strict=True):
            judged = gap.status == "done" and gap.verdict not in ("", UNDECIDED)
            if judged and math.isfinite(gap.value) and math.isfinite(change.value):
                # The table has the kernel change at the end, the verdict is of the largest: of a
                # kernel that came back, no more is known than that it was past its threshold.
                least = (
                    0.0 if gap.verdict == "lazy" or gap.value >= LAZY_GAP else LAZY_KERNEL_CHANGE
                )
                at = found.setdefault(gap.seed, np.full((2, len(gaps)), np.nan))
                at[:, column] = gap.value, max(change.value, least)
            else:
                left_out += gap.status != "missing"
    if not found:
        return None
    cube = np.array([*found.values()])
    values = dict(zip(THRESHOLDS, cube.swapaxes(0, 1), strict=True))
    whole = onset(axis.places, values, axis.log)
    return replace(whole, left_out=left_out) if whole else None


def _heights(values: Any, level: float) -> np.ndarray:
    """Return log q/θ, −∞ for a q that is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(np.atleast_2d(np.asarray(values, dtype=float)) / level)


def _crossing(at: np.ndarray, heights: np.ndarray, known: np.ndarray) -> tuple[float, ...]:
    """Return where the heights fall through 0 for the last time, with the places beside it."""
    at, heights = at[known], heights[known]
    above = np.flatnonzero(heights >= 0.0)
    if not above.size:
        return -math.inf, -math.inf, float(at[0])
    i = int(above[-1])
    if i == len(at) - 1:
        return math.inf, float(at[i]), math.inf
    share = heights[i] / (heights[i] - heights[i + 1])
    return float(at[i] + share * (at[i + 1] - at[i])), float(at[i]), float(at[i + 1])


def _together(ends: np.ndarray) -> tuple[float, float, float, bool]:
    """Return what crossings, (N, 3) each with the places beside it, come to over the seeds."""
    own = ends[:, 0]
    if np.isfinite(own).all() and len(own) >= FEWEST_SEEDS:
        sure = bootstrap.mean_interval(own)
        return sure.value, sure.low, sure.high, True
    value = own.mean() if np.isfinite(own).all() else np.quantile(own, 0.5, method="higher")
    return float(value), float(ends[:, 1].min()), float(ends[:, 2].max()), False


def _back(place: float, log: bool) -> float:
    return math.exp(place) if log and math.isfinite(place) else place
