"""What the strip above the figures says of a run, and that it keeps its verdict to the end."""

from dataclasses import replace

import pytest

from lazycore.results.verdict import finding
from pages.widgets import summary


@pytest.mark.parametrize("status", ["running", "cancelled", "budget"])
@pytest.mark.parametrize("alpha", [0.1, 1.0, 100.0])
def test_a_run_that_has_not_come_to_its_end_has_no_verdict(make_run, status, alpha):
    result = replace(make_run(alpha, until=2.0), status=status)
    assert summary.headline(result) == ":gray[so far (t = 2), no verdict before its end]"
    said = summary._meaning(result)
    assert said.startswith(result.so_far) and result.verdict not in said.split()
    assert said.endswith("Both may still grow.")


def test_a_whole_run_has_its_verdict_in_colour_and_in_grey_where_it_is_faded(make_run):
    result = make_run(100.0)
    assert summary.headline(result) == ":green[**lazy**]"
    assert summary.headline(result, faded=True) == ":gray[**lazy**]"


def test_the_sentence_begins_with_the_threshold_that_decided(make_run):
    for alpha in (0.1, 1.0, 100.0):
        result = make_run(alpha)
        said = summary._meaning(result)
        assert said.startswith(result.finding.because)
        assert summary.MEANINGS[result.verdict] in said and "The training loss fell by" in said


def test_of_a_linearisation_that_diverged_it_is_said_that_it_did(make_run):
    latest = {"linearized.status": "diverged", "numerical_error": 1e9}
    result = make_run(1.0, status="diverged", **latest)
    assert result.verdict == "undecided"
    assert summary._meaning(result).startswith("One of the two diverged")
    assert result.finding == finding(**result._judged)
