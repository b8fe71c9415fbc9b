"""Is a run lazy? The one definition, used for whole and for partial results. numpy only."""

import numpy as np

LAZY_GAP = 0.05
LAZY_KERNEL_CHANGE = 0.1
RICH_KERNEL_CHANGE = 1.0
LEARNED = 0.1
"""Share of its training loss that one of the models must lose: else nothing was learned."""


def verdict(
    *,
    gap: np.ndarray,
    change: np.ndarray,
    kernel_change: np.ndarray,
    numerical_error: float,
    learned: float,
    diverged: bool = False,
) -> str:
    """Return `lazy`, `crossover`, `rich` or `undecided`.

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
        return "undecided"
    if largest_gap < numerical_error or learned < LEARNED:
        return "undecided"
    if kernel > RICH_KERNEL_CHANGE:
        return "rich"
    if diverged:
        return "undecided"
    if largest_gap < LAZY_GAP * largest_change and kernel < LAZY_KERNEL_CHANGE:
        return "lazy"
    return "crossover"


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
