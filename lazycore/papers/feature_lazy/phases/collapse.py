"""One variable, √hα: how well the curves of all widths fall onto one, and with what powers.

Geiger et al. (2020, arXiv:1906.08034). Their scaling argument: at t₁ ~ √hα the weights have
changed by O(1); a network of L hidden layers whose √hα ≪ 1 then inflates, its kernel as
(√hα)^(−a), a = 2L/(L + 1). A lazy one changes as 1/√hα, by Theorem 2.2 of Chizat et al. too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lazycore.papers.feature_lazy.phases.cube import Cube, mean_of_known
from lazycore.theory import bootstrap
from lazycore.theory.bootstrap import Interval

FEATURE = (0.0, 0.15)
"""√hα of the feature side, over which the kernel's exponent is fitted."""
LAZY = (80.0, np.inf)
"""√hα of the lazy side."""
RESCALED_ABOVE = 0.1
"""√hα above which the test error is rescaled, as the authors do."""


@dataclass(frozen=True)
class Exponent:
    """A power of √hα, measured and predicted. side: feature or lazy."""

    side: str
    depth: int | None
    measured: Interval
    predicted: float | None
    scales: tuple[float, ...]


def spread(means: np.ndarray) -> np.ndarray:
    """Return how far apart the widths are at each √hα, in decades, NaN with fewer than two.

    means: (H, A) positive. The largest minus the smallest of their decimal logarithms.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log10(means)
    known = np.isfinite(logs)
    high = np.where(known, logs, -np.inf).max(0)
    low = np.where(known, logs, np.inf).min(0)
    return np.where(known.sum(0) >= 2, high - low, np.nan)


def half_time(cube: Cube) -> np.ndarray:
    """Return t_{L/2}/(√hα) of every run, (H, A, S): flat in the feature phase.

    t_{L/2} is the flow time at which R(αh) is first below half of what it was at t = 0.
    """
    times = cube.values.get("half_time", np.full(cube.status.shape, np.nan))
    return times / cube.scales[:, None]


def test_error(cube: Cube) -> np.ndarray:
    """Return the mean test error over seeds, (H, A), NaN where no run has one."""
    return mean_of_known(cube.values["final_test_error"])


def rescaled_error(cube: Cube) -> np.ndarray:
    """Return (ε − min)/(max − min) of each width's mean test error ε, (H, A).

    Over √hα > 0.1 only; NaN elsewhere, and where a width has one error throughout.
    """
    errors = np.where(cube.scales > RESCALED_ABOVE, test_error(cube), np.nan)
    known = np.isfinite(errors)
    low = np.where(known, errors, np.inf).min(1, keepdims=True)
    high = np.where(known, errors, -np.inf).max(1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(high > low, (errors - low) / (high - low), np.nan)


def kernel_exponents(cube: Cube) -> list[Exponent]:
    """Return the powers of √hα with which ‖ΔΘ‖/‖Θ₀‖ goes, feature side first; see `_powers`."""
    depth = cube.depth
    feature = None if depth is None else -2.0 * depth / (depth + 1.0)
    return _powers(cube, cube.values["kernel_change"], {"feature": feature, "lazy": -1.0})


def half_time_exponents(cube: Cube) -> list[Exponent]:
    """Return the powers of √hα with which t_{L/2}/(√hα) goes, feature side first: 0 and −1."""
    return _powers(cube, half_time(cube), {"feature": 0.0, "lazy": -1.0})


def _powers(
    cube: Cube, values: np.ndarray, predicted: Mapping[str, float | None]
) -> list[Exponent]:
    """Return the powers of √hα of positive values (H, A, S) on both sides.

    Each seed has one of the geometric mean of its widths, fitted by least squares in
    logarithms; their mean and its interval over seeds is what is returned. A side with fewer
    than three √hα is left out.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.log(values)
    by_seed = np.exp(logs.mean(0))  # NaN where a width has no value: their mean would jump there
    found = []
    for side, (low, high) in (("feature", FEATURE), ("lazy", LAZY)):
        inside = (cube.scales >= low) & (cube.scales <= high)
        measured = bootstrap.exponent(cube.scales[inside], list(by_seed[inside].T))
        if measured is not None:
            scales = tuple(cube.scales[inside].tolist())
            found.append(Exponent(side, cube.depth, measured, predicted[side], scales))
    return found
