"""The one definition of lazy, at its borders."""

import numpy as np
import pytest

from lazycore.verdict import verdict


def judged(gap=0.01, change=1.0, kernel=0.05, error=1e-6, tail=(), diverged=False):
    """Return the verdict on curves that rise to these values and go on as `tail`."""
    return verdict(
        gap=np.array([0.0, gap / 2, gap, *tail]),
        change=np.array([0.0, change, change / 2]),
        kernel_change=np.array([0.0, kernel]),
        numerical_error=error,
        diverged=diverged,
    )


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "lazy"),
        ({"gap": 0.0499}, "lazy"),
        ({"gap": 0.0501}, "crossover"),
        ({"gap": 0.05}, "crossover"),
        ({"kernel": 0.0999}, "lazy"),
        ({"kernel": 0.1}, "crossover"),
        ({"kernel": 1.0}, "crossover"),
        ({"kernel": 1.0001}, "rich"),
        ({"gap": 0.01, "kernel": 2.0}, "rich"),
        ({"gap": 0.01, "error": 0.011}, "undecided"),
        ({"gap": 0.01, "error": 0.0099}, "lazy"),
        ({"gap": 5.0, "kernel": 2.0, "error": 6.0}, "undecided"),
        ({"error": float("inf")}, "undecided"),
        ({"tail": (np.nan, np.inf)}, "lazy"),
        ({"diverged": True}, "undecided"),
        ({"gap": 0.5, "diverged": True}, "undecided"),
        ({"kernel": 2.0, "diverged": True}, "rich"),
    ],
)
def test_verdicts(fields, word):
    assert judged(**fields) == word


def test_nothing_known_is_undecided():
    empty = np.array([])
    some = np.array([1.0])
    for gap, change, kernel in ((empty, some, some), (some, empty, some), (some, some, empty)):
        found = verdict(gap=gap, change=change, kernel_change=kernel, numerical_error=1e-9)
        assert found == "undecided"
    nothing = np.array([np.nan])
    assert verdict(gap=nothing, change=some, kernel_change=some, numerical_error=0.1) == "undecided"


def test_the_largest_gap_counts_and_not_the_last():
    found = verdict(
        gap=np.array([0.0, 0.2, 0.0]),
        change=np.array([0.0, 1.0, 1.0]),
        kernel_change=np.array([0.0, 0.01]),
        numerical_error=1e-9,
    )
    assert found == "crossover"
