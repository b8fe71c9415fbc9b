"""Is a run lazy? The one definition, used for whole and for partial results. numpy only."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lazycore.results.quantities.thresholds import (
    LAZY_GAP,
    LAZY_KERNEL_CHANGE,
    LEARNED,
    RICH_KERNEL_CHANGE,
)

UNDECIDED = "undecided"
WORDS = ("lazy", "crossover", "rich", UNDECIDED)
"""Every verdict there is."""


@dataclass(frozen=True)
class Finding:
    """A verdict with what decided it.

    word: `lazy`, `crossover`, `rich` or `undecided`. because: the sentence that names the
    thresholds that decided and the values that met them, without the verdict itself.
    """

    word: str
    because: str


def finding(
    *,
    gap: np.ndarray,
    change: np.ndarray,
    kernel_change: np.ndarray,
    numerical_error: float,
    learned: float,
    diverged: bool = False,
) -> Finding:
    """Return `lazy`, `crossover`, `rich` or `undecided`, with the threshold that decided.

    undecided: the largest gap is below the error of the method, neither model's training loss fell
    by a tenth (what has learned nothing is not lazy), or nothing is known yet; where a model
    diverged, all that is not rich: what was seen of it is its beginning.
    lazy: the largest output gap is < 5 % of the largest change of the linearised model's
    output and ‖Θ_t − Θ_0‖/‖Θ_0‖ < 0.1 throughout. rich: that ratio exceeds 1.

    Args:
        gap: (T,) rms output gap on the training points, NaN after a model has ended.
        change: (T,) rms of αh̄(t) − αh̄(0) on the training points.
        kernel_change: (T_k,).
        numerical_error: in the units of `gap`.
        learned: share of its training loss that a model lost, the larger of both (`share_learned`).
        diverged: whether one of the two models did.
    """
    largest_gap, largest_change, kernel = (_largest(a) for a in (gap, change, kernel_change))
    if largest_gap is None or largest_change is None or kernel is None:
        return Finding(UNDECIDED, "The gap or the kernel is not known yet.")
    below = largest_gap < numerical_error
    if kernel > RICH_KERNEL_CHANGE and not below and learned >= LEARNED:
        limit = f"above the {_percent(RICH_KERNEL_CHANGE)} from which on a run is rich"
        return Finding("rich", f"{_kernel(kernel)}, {limit}.")
    if diverged:
        return Finding(UNDECIDED, "One of the two diverged: what was seen is their beginning.")
    if learned < LEARNED:
        return Finding(UNDECIDED, f"Nothing was learned: {_learned(learned)}.")
    if below:
        error = f"below the error of the method, {numerical_error:.2g}"
        return Finding(UNDECIDED, f"The largest gap, {largest_gap:.2g}, is {error}.")
    apart = largest_gap >= LAZY_GAP * largest_change
    changed = kernel >= LAZY_KERNEL_CHANGE
    said = [
        f"{_gap(largest_gap, largest_change)}, {_side(apart, LAZY_GAP)}",
        f"{_kernel(kernel)}, {_side(changed, LAZY_KERNEL_CHANGE)}",
    ]
    if changed and not apart:
        said.reverse()  # what decided comes first
    word = "crossover" if apart or changed else "lazy"
    return Finding(word, f"{said[0]}; {_lowered(said[1])}.")


def verdict(**known: Any) -> str:
    """Return the word of the `finding` over the same arguments."""
    return finding(**known).word


def so_far(
    *, gap: np.ndarray, change: np.ndarray, kernel_change: np.ndarray, **_others: Any
) -> str:
    """Return in a sentence where a run that is on its way stands, without a verdict."""
    largest_gap, largest_change, kernel = (_largest(a) for a in (gap, change, kernel_change))
    if largest_gap is None or largest_change is None or kernel is None:
        return "Nothing is known yet."
    return (
        f"{_gap(largest_gap, largest_change)} (lazy: below {_percent(LAZY_GAP)}), and "
        f"{_lowered(_kernel(kernel))} (lazy: below {_percent(LAZY_KERNEL_CHANGE)}, rich: above "
        f"{_percent(RICH_KERNEL_CHANGE)})."
    )


def _gap(gap: float, change: float) -> str:
    share = _percent(gap / change) if change else "∞"
    return f"The gap is {share} of the way"


def _kernel(change: float) -> str:
    size = _percent(change) if change < 10.0 else f"{change:,.0f} times its own size"
    return f"The kernel changed by {size}"


def _side(above: bool, threshold: float) -> str:
    return f"{'above' if above else 'below'} the {_percent(threshold)} that lazy allows"


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _learned(share: float) -> str:
    return f"the training loss fell by {_percent(share)}, and a verdict needs {_percent(LEARNED)}"


def _percent(share: float) -> str:
    """Return a share in percent: three digits, however small, and no power of ten.

    >>> _percent(0.04987), _percent(1.4), _percent(2.5e-7), _percent(0.0)
    ('4.99 %', '140 %', '0.000025 %', '0 %')
    """
    number = np.format_float_positional(
        100.0 * share, precision=3, unique=False, fractional=False, trim="-"
    )
    return f"{number} %"


def share_learned(*losses: np.ndarray) -> float:
    """Return the share of its first training loss that a model has lost at best, of all models.

    losses: (T,) of each, NaN after its end. 0 where a loss was 0 from the start.
    """
    shares = [0.0]
    for loss in losses:
        finite = loss[np.isfinite(loss)]
        if finite.size and finite[0] > 0.0:
            shares.append(1.0 - float(finite.min()) / float(finite[0]))
    return max(shares)


def _largest(values: np.ndarray) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size else None
