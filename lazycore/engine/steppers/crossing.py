"""Where, within a step, a model has met its margins."""

from collections.abc import Callable

from torch import Tensor

EXACT = 1e-9
"""Share of the time to which it is located."""


def excess(outputs: Tensor, y: Tensor, margin: float) -> float:
    """Return the smallest y f of these outputs (n, k), less the margin."""
    return float((outputs * y).amin()) - margin


def located(excess_at: Callable[[float], float], low: float, high: float) -> float:
    """Return, from above, a time in [low, high] at which `excess_at` comes to 0.

    `low` where it is there already; `high` where it is not found to be there even then.
    Secants kept within a bracket, and a bisection at every third step.
    """
    below, above = excess_at(low), excess_at(high)
    if below >= 0.0 or above < 0.0:
        return low if below >= 0.0 else high
    for number in range(100):
        if high - low <= EXACT * high:
            break
        share = 0.5 if number % 3 == 2 else min(max(below / (below - above), 0.01), 0.99)
        time = low + share * (high - low)
        value = excess_at(time)
        if value >= 0.0:
            high, above = time, value
        else:
            low, below = time, value
    return high
