"""What the figures say in words: the numbers that are seen in them."""

import re

import numpy as np
import pytest

from lazycore.figures import exponent, finding, overlay, panels_of, svg
from lazycore.papers import shelf
from lazycore.results.groups import grouped
from lazycore.results.run import RunResult

SHIPPED = sorted(p for p in shelf.DIRECTORY.rglob("*.npz") if p.parent.name != "sweeps")


@pytest.fixture
def alts(make_run):
    """The words of every figure of a made-up run at α = 2, by name."""
    run = make_run(2.0)
    return {p.name: p.draw(run, True)["layout"]["meta"]["alt"] for p in panels_of(run)}


def test_numbers_have_three_digits_and_nothing_is_a_dash():
    assert [finding.said(v) for v in (0.12345, -2.0, float("nan"))] == ["0.123", "−2", "–"]
    assert finding.course([np.nan, 0.5, 3.0, 0.25, np.nan]) == "from 0.5 to 0.25"
    assert finding.course([np.nan]) == "" and np.isnan(finding.largest([]))
    assert finding.sentences(["one", "", "α = 1", "h = 2"]) == "One. α = 1. h = 2."
    assert finding.said(-0.0) == "0", "nothing is not less than nothing"


def alt_of(figure):
    return figure["layout"]["meta"]["alt"]


@pytest.mark.parametrize("folder", sorted({path.parent for path in SHIPPED}), ids=lambda p: p.name)
def test_every_figure_of_every_shipped_run_says_numbers_and_does_not_end_at_its_name(folder):
    for path in (p for p in SHIPPED if p.parent == folder):
        run = RunResult.load(path)
        for panel in panels_of(run):
            alt = alt_of(panel.draw(run, True))
            # The first sentence may name it; what is seen is a number that is none of its axes.
            assert re.search(r"\d", alt) and alt.endswith("."), f"{panel.name}: {alt}"
            assert not re.search(r"\bnan\b|\binf\b|\bNone\b", alt), f"{panel.name}: {alt}"


def test_the_functions_learned_say_how_far_apart_they_are(alts, make_run):
    # The made-up linearisation is 0.9 of the network.
    size = np.sqrt(np.mean(np.square(make_run(2.0).latest["function.nonlinear"])))
    apart, of = (finding.said(share * size) for share in (0.1, 0.9))
    assert f"{apart} apart, of {finding.said(size)} and {of}," in alts["learned"]
    assert "differ in sign on 0.0% of them" in alts["learned"]
    line = make_run(2.0, dim=1)
    (panel,) = [p for p in panels_of(line) if p.name == "learned"]
    assert "curves over the input" in alt_of(panel.draw(line, True))


def test_the_picture_of_a_run_says_how_its_losses_went(make_run):
    said = svg.finding_of(make_run(2.0))
    assert said.startswith("Losses of a crossover run at α = 2 to flow time 5.")
    assert "On training points: network from 0.5 to" in said and "linearisation from 0.5" in said


def test_the_distance_says_how_large_the_gap_gets_of_what_and_its_floor(alts):
    # The made-up gap grows to 0.3/α where the outputs move by 1; the kernel by 0.5/α.
    assert "grows to 0.149, 15.00% of the way" in alts["distance"]
    assert "above the numerical floor of 1.0e-06" in alts["distance"]
    assert "Kernel change 0.248." in alts["distance"]


def test_the_losses_say_how_each_model_went(alts):
    assert "On training points: network from 0.5 to" in alts["losses"]
    assert "linearisation from 0.5 to" in alts["losses"]


def test_the_kernel_says_on_which_side_of_the_thresholds_it_is(alts):
    assert "changes by 0.248 of its size, above 0.1, lazy's limit" in alts["kernel"]
    assert "alignment with the labels goes from 0.3 to" in alts["kernel"]


def test_the_neurons_say_how_far_they_move(alts):
    # They start on the unit circle and move outwards by 1/α, in the linearisation by 1.1/α.
    assert "start at a median of 1 from 0 and move by a median of 0.497" in alts["neurons"]
    assert "in the linearisation 8 hidden neurons" in alts["neurons"].lower()


def test_a_gap_below_the_floor_is_said_to_be(make_run):
    (panel,) = [p for p in panels_of(make_run()) if p.name == "distance"]
    drawn = panel.draw(make_run(numerical_error=1.0), True)
    assert "below the numerical floor" in drawn["layout"]["meta"]["alt"]


def test_the_exponent_says_the_power_and_that_of_the_theorem(make_run):
    alt = exponent.figure([make_run(a) for a in (10.0, 100.0, 1000.0)])["layout"]["meta"]["alt"]
    assert "output gap goes as α to the power −1.00 (−1.00 to −1.00)" in alt
    assert "weights apart ‖w − w̄‖ goes as α to the power −2.00" in alt and "theorem: −2" in alt


def test_several_runs_say_where_each_begins_and_ends(make_run):
    groups = grouped([make_run(1.0), make_run(10.0)])
    alt = overlay.figure(groups, "gap")["layout"]["meta"]["alt"]
    assert "α = 1 from 0 to 0.298" in alt and "α = 10 from 0 to 0.0298" in alt
