"""The one definition of lazy, at its borders."""

import numpy as np
import pytest

from lazycore.results.verdict import finding, share_learned, so_far, verdict


def judged_with_reason(
    gap=0.01, change=1.0, kernel=0.05, error=1e-6, tail=(), diverged=False, learned=0.5
):
    """Return what is found of curves that rise to these values and go on as `tail`."""
    return finding(
        gap=np.array([0.0, gap / 2, gap, *tail]),
        change=np.array([0.0, change, change / 2]),
        kernel_change=np.array([0.0, kernel]),
        numerical_error=error,
        diverged=diverged,
        learned=learned,
    )


def judged(**fields):
    """Return the verdict on these curves."""
    return judged_with_reason(**fields).word


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
        ({"learned": 0.0999}, "undecided"),
        ({"learned": 0.1}, "lazy"),
        ({"kernel": 2.0, "learned": 0.05}, "undecided"),
        ({"gap": 0.5, "learned": 0.0}, "undecided"),
        ({"gap": 0.199, "change": 4.0}, "lazy"),
        ({"gap": 0.201, "change": 4.0}, "crossover"),
        ({"gap": 0.0124, "change": 0.25}, "lazy"),
        ({"gap": 0.0126, "change": 0.25}, "crossover"),
        ({"gap": 0.01, "error": 0.01}, "lazy"),
    ],
)
def test_verdicts(fields, word):
    assert judged(**fields) == word


def test_nothing_known_is_undecided():
    empty = np.array([])
    some = np.array([1.0])
    for gap, change, kernel in ((empty, some, some), (some, empty, some), (some, some, empty)):
        known = {"numerical_error": 1e-9, "learned": 1.0}
        assert verdict(gap=gap, change=change, kernel_change=kernel, **known) == "undecided"
    nothing = np.array([np.nan])
    known = {"numerical_error": 0.1, "learned": 1.0}
    assert verdict(gap=nothing, change=some, kernel_change=some, **known) == "undecided"


def test_the_largest_gap_counts_and_not_the_last():
    found = verdict(
        gap=np.array([0.0, 0.2, 0.0]),
        change=np.array([0.0, 1.0, 1.0]),
        kernel_change=np.array([0.0, 0.01]),
        numerical_error=1e-9,
        learned=1.0,
    )
    assert found == "crossover"


def test_what_was_learned_is_the_best_of_both_models():
    first, second = np.array([1.0, 1.5, 0.4, 0.6]), np.array([2.0, 1.0, np.nan])
    assert share_learned(first, second) == pytest.approx(0.6)
    assert share_learned(second) == 0.5 and share_learned() == 0.0
    assert share_learned(np.zeros(3), np.array([1.0, 2.0])) == 0.0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {},
            (
                "The gap is 1 % of the way, below the 5 %",
                "the kernel changed by 5 %, below the 10 %",
            ),
        ),
        (
            {"gap": 0.048, "kernel": 0.12},
            ("The kernel changed by 12 %, above the 10 % that lazy allows; the gap is 4.8 %",),
        ),
        (
            {"gap": 0.12},
            ("The gap is 12 % of the way, above the 5 % that lazy allows; the kernel",),
        ),
        (
            {"gap": 0.3, "kernel": 0.4},
            ("The gap is 30 % of the way, above", "changed by 40 %, above the 10 %"),
        ),
        ({"kernel": 1.4}, ("The kernel changed by 140 %, above the 100 % from which on",)),
        ({"kernel": 3860.2}, ("The kernel changed by 3,860 times its own size, above the 100 %",)),
        ({"gap": 0.01, "error": 0.011}, ("The largest gap, 0.01, is below the error", "0.011")),
        ({"gap": 0.01, "error": 0.5, "diverged": True}, ("One of the two diverged",)),
        ({"learned": 0.02}, ("Nothing was learned: the training loss fell by 2 %", "needs 10 %")),
    ],
)
def test_a_finding_names_the_threshold_that_decided_first(fields, said):
    found = judged_with_reason(**fields).because
    assert all(part in found for part in said), found
    assert found.startswith(said[0]), found


def test_what_is_said_of_a_run_on_its_way_is_no_verdict():
    known = {"numerical_error": 1e-6, "learned": 0.5}
    curves = {"gap": np.array([0.0, 0.02]), "change": np.array([0.0, 1.0])}
    said = so_far(**curves, kernel_change=np.array([0.0, 0.06]), **known)
    assert said.startswith("The gap is 2 % of the way (lazy: below 5 %), and the kernel changed by")
    assert "6 % (lazy: below 10 %, rich: above 100 %)" in said
    nothing = so_far(**curves, kernel_change=np.array([]), **known)
    assert nothing == "Nothing is known yet."
