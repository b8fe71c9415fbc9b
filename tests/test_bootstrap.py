"""Exponents over seeds: a slope that is known, and intervals that hold as often as they say."""

import numpy as np
import pytest
from scipy.stats import t

from lazycore.theory import bootstrap, lazy

ALPHAS = np.geomspace(1.0, 1000.0, 6)


def noisy(rng: np.random.Generator, seeds: int, power: float = -1.0) -> list[np.ndarray]:
    """Return rows y ∝ x^power whose seeds differ in slope, in height and at each point."""
    tilt = power + 0.1 * rng.normal(size=(seeds, 1))
    height = rng.normal(size=(seeds, 1))
    scatter = 0.05 * rng.normal(size=(seeds, len(ALPHAS)))
    return list(np.exp(height + scatter) * ALPHAS**tilt)


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_holds_the_true_exponent_nineteen_times_in_twenty(seeds):
    rng = np.random.default_rng(3)
    trials = 400
    hits = 0
    for number in range(trials):
        found = bootstrap.exponent(ALPHAS, noisy(rng, seeds), seed=number)
        assert found is not None
        hits += found.low <= -1.0 <= found.high
    # 95 % within three standard errors of 400 trials, and a little for so few seeds.
    assert 0.90 <= hits / trials <= 0.99


@pytest.mark.parametrize("count", [3, 5, 30])
def test_an_interval_is_that_of_the_draws_widened_by_students_t_and_bessels_factor(count):
    """Draws 0, 1, … 1000 of a value 400: 25 and 975 are what 95 % of them lie between."""
    draws = np.random.default_rng(0).permutation([*np.arange(1001.0), np.nan, np.nan])
    found = bootstrap.interval(400.0, draws, count)
    wider = (count / (count - 1)) ** 0.5 * t.ppf(0.975, count - 1) / t.ppf(0.975, 10**9)
    assert (found.value, found.seeds) == (400.0, count)
    assert 400.0 - found.low == pytest.approx(wider * 375.0, rel=6e-3)
    assert found.high - 400.0 == pytest.approx(wider * 575.0, rel=6e-3)


def test_the_interval_of_a_mean_is_about_as_wide_as_students():
    values = np.random.default_rng(4).normal(7.0, 2.0, 40)
    found = bootstrap.mean_interval(values)
    half = t.ppf(0.975, 39) * values.std(ddof=1) / 40**0.5
    assert found.value == pytest.approx(values.mean()) and found.seeds == 40
    assert found.value - found.low == pytest.approx(half, rel=0.08)
    assert found.high - found.value == pytest.approx(half, rel=0.08)


def test_without_scatter_the_exponent_is_exact():
    found = bootstrap.exponent(ALPHAS, [c * ALPHAS**-2.0 for c in (1.0, 2.0, 5.0)])
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((-2.0, -2.0, -2.0))
    assert found.seeds == 3


def test_the_same_values_give_the_same_interval():
    rows = noisy(np.random.default_rng(0), 5)
    assert bootstrap.exponent(ALPHAS, rows) == bootstrap.exponent(ALPHAS, rows)


def test_with_fewer_than_three_seeds_the_interval_is_that_of_the_scatter():
    rows = noisy(np.random.default_rng(1), 2)
    found = bootstrap.exponent(ALPHAS, rows)
    means = np.sqrt(rows[0] * rows[1])
    assert found is not None and found.seeds == 2
    expected = lazy.slope(ALPHAS.tolist(), means.tolist())
    assert (found.value, found.low, found.high) == pytest.approx(expected)


def test_what_has_no_logarithm_is_left_out():
    rows = [c * ALPHAS**-1.0 for c in (1.0, 2.0, 3.0)]
    rows[0][2], rows[1][0], rows[2][5] = np.nan, 0.0, -1.0
    found = bootstrap.exponent(ALPHAS, rows)
    assert found is not None and found.value == pytest.approx(-1.0)


def test_two_places_are_too_few():
    assert bootstrap.exponent(ALPHAS[:2], [ALPHAS[:2]] * 3) is None
    mostly_gone = np.where(np.arange(6) < 2, ALPHAS, np.nan)
    assert bootstrap.exponent(ALPHAS, [mostly_gone] * 3) is None


def test_of_two_seeds_one_without_three_places_is_left_out():
    whole = ALPHAS**-1.0
    short = np.where(np.arange(6) < 2, 1e3 * ALPHAS, np.nan)
    found = bootstrap.exponent(ALPHAS, [whole, short])
    assert found is not None and found.seeds == 1
    assert found.value == pytest.approx(-1.0)
    assert bootstrap.exponent(ALPHAS, [short, np.where(np.arange(6) > 3, whole, np.nan)]) is None


def test_no_seed_has_no_exponent():
    assert bootstrap.exponent(ALPHAS, []) is None
