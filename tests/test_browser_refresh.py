"""The Refresh page in a real browser: a cold deep link, the slider, and what is drawn."""

import pytest
from playwright.sync_api import expect
from test_browser import expect_chosen, expect_in_link, visit, wait_for_chart

pytestmark = pytest.mark.browser


def test_a_deep_link_keeps_problem_stages_and_k(server, tab):
    fields = {"r_problem": "3-sparse parity", "r_stages": "front-loaded", "r_every": "500"}
    tab.goto(f"{server}/refresh?" + "&".join(f"{k}={v}" for k, v in fields.items()))
    for _ in range(2):
        wait_for_chart(tab)
        tab.get_by_text("K = 500: 20 feature updates").wait_for()
        expect_chosen(tab, "Problem", fields["r_problem"])
        # What the page opens with is not in the address.
        expect_in_link(tab, r_stages="front-loaded", r_every="500")
        visit(tab, "Runs")
        tab.get_by_role("heading", name="Open a file").wait_for()
        visit(tab, "Refresh")
    expect(tab.get_by_test_id("stAlert")).to_have_count(0)
    assert not tab.locator("[data-testid=stException]").count()


def test_the_slider_moves_through_finished_runs(server, tab):
    tab.goto(f"{server}/refresh?r_problem=figure eight")
    tab.get_by_text("K = 50: 8 feature updates").wait_for()
    tab.get_by_role("slider").first.press("ArrowRight")
    tab.get_by_text("K = 20: 20 feature updates").wait_for()
    expect_in_link(tab, r_every="20")
    tab.wait_for_function(
        "() => [...document.querySelectorAll('.lazylab-chart')]"
        ".some((c) => c._transitionData?._frames?.length)"
    )
    expect(tab.get_by_test_id("stAlert")).to_have_count(0)
