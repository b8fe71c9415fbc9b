"""How much the outputs of networks differ by their initial weights, and what averaging gains.

    Var = Σ_s mean_x (F_s(x) − F̄(x))² / (S − 1)

over S seeds and the test points, with F = αh the final outputs. δF ~ h^(−1/2), so h·Var is flat
in h, and the mean F̄ of a few networks errs as little as one that is very wide (Geiger et al.
2020, arXiv:1906.08034).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lazycore.papers.feature_lazy.phases.cube import Cube
from lazycore.theory import bootstrap, lazy
from lazycore.theory.bootstrap import Interval

EXPONENT = -1.0
"""Of Var in h."""
FEWEST = 3
"""Seeds that an interval needs, and widths that an exponent does."""
TINY = 1e-14
"""Of the outputs' squares, the variance that is no more than their rounding."""


@dataclass(frozen=True)
class Variances:
    """Var over seeds. value, low, high: (H, A), the interval at 95 % over seeds; NaN for none.

    seeds: (H, A) runs that it is over. exponents: of Var in h, one a √hα, None for too few.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    seeds: np.ndarray
    exponents: tuple[Interval | None, ...]


@dataclass(frozen=True)
class Errors:
    """Test errors, all (H, A). single: mean over seeds, low, high: its 10–90 % over seeds.

    ensemble: of the mean of all seeds' outputs. seeds: runs that both are over.
    """

    single: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ensemble: np.ndarray
    seeds: np.ndarray


def variance(gram: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return Var of samples in which each seed comes `weights` times: (draws,).

    gram: (S, S) mean over x of F_s F_s'. weights: (draws, S) whole numbers, each row with the
    same sum S' ≥ 2. Var = (Σ_s c_s G_ss − cᵀGc/S')/(S' − 1).
    """
    total = weights.sum(1)
    square = ((weights @ gram) * weights).sum(1)
    return (weights @ np.diag(gram) - square / total) / (total - 1.0)


@lru_cache(maxsize=16)
def variances(cube: Cube, seed: int = 0) -> Variances | None:
    """Return Var at each width and √hα with intervals over seeds; None without outputs.

    The seeds of a place are resampled by themselves: those of two widths are not paired. Found
    once for each cube, of which a page draws several figures over and over.
    """
    if cube.outputs is None:
        return None
    shape = cube.outputs.shape[:2]
    value, low, high = (np.full(shape, np.nan) for _ in range(3))
    seeds = np.zeros(shape, dtype=int)
    draws = np.full((*shape, bootstrap.DRAWS), np.nan)
    rng = np.random.default_rng(seed)
    for place in np.ndindex(*shape):
        outputs = _known(cube.outputs[place])
        count = seeds[place] = len(outputs)
        if count < 2:
            continue
        gram = outputs @ outputs.T / outputs.shape[1]
        value[place] = variance(gram, np.ones((1, count)))[0]
        if count >= FEWEST:
            draws[place] = _resampled(gram, float(value[place]), rng)
        if np.isfinite(draws[place]).any():
            interval = bootstrap.interval(float(value[place]), draws[place], count)
            low[place], high[place] = max(interval.low, 0.0), interval.high
    exponents = [
        _exponent(cube.widths, value[:, i], draws[:, i], seeds[:, i]) for i in range(shape[1])
    ]
    return Variances(value, low, high, seeds, tuple(exponents))


def errors(cube: Cube) -> Errors | None:
    """Return the error of single networks and of the mean of all seeds'; None without outputs.

    An error is the share of test points with y·F ≤ 0. Raises what `Cube.labels` raises.
    """
    if cube.outputs is None:
        return None
    shape, y = cube.outputs.shape[:2], cube.labels
    found = np.full((4, *shape), np.nan)
    seeds = np.zeros(shape, dtype=int)
    for place in np.ndindex(*shape):
        outputs = _known(cube.outputs[place])
        seeds[place] = len(outputs)
        if len(outputs):
            single = (outputs * y <= 0.0).mean(1)
            together = float((outputs.mean(0) * y <= 0.0).mean())
            quantiles = np.quantile(single, (0.1, 0.9)).tolist()
            found[(slice(None), *place)] = (single.mean(), *quantiles, together)
    return Errors(*found, seeds=seeds)


def _resampled(gram: np.ndarray, value: float, rng: np.random.Generator) -> np.ndarray:
    """Return the variances of samples of as many seeds, (draws,), their mean brought to `value`.

    NaN for a sample of one seed alone, and of networks that all answer the same.
    """
    count = len(gram)
    weights = rng.multinomial(count, np.full(count, 1.0 / count), size=bootstrap.DRAWS)
    found = variance(gram, weights.astype(float))
    found[found <= TINY * np.trace(gram)] = np.nan
    return found * (value / np.nanmean(found)) if np.isfinite(found).any() else found


def _known(outputs: np.ndarray) -> np.ndarray:
    """Return the outputs of those seeds that have them all, (S, n') in double precision."""
    return outputs[np.isfinite(outputs).all(1)].astype(float)


def _exponent(
    widths: np.ndarray, values: np.ndarray, draws: np.ndarray, seeds: np.ndarray
) -> Interval | None:
    """Return the exponent of values (H,) in h, its interval from resampled values (H, draws)."""
    kept = np.isfinite(draws).any(1) & (seeds >= FEWEST)
    if kept.sum() < FEWEST:
        return None
    x = np.log(widths[kept]) - np.log(widths[kept]).mean()
    slopes = x @ np.log(draws[kept]) / (x @ x)
    found = lazy.slope(widths[kept].tolist(), values[kept].tolist())[0]
    return bootstrap.interval(found, slopes + (found - np.nanmean(slopes)), int(seeds[kept].min()))
