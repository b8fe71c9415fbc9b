"""The Feature-or-lazy page in a real browser: its cold link, what is drawn, both axes."""

import pytest
from test_browser import expect_chosen, expect_in_link, visit, wait_for_chart

pytestmark = pytest.mark.browser
DRAWN = """(count) => {
  const charts = [...document.querySelectorAll(".lazylab-chart")];
  return charts.length === count && charts.every((c) => c._fullLayout?.xaxis);
}"""
TITLES = """() => [...document.querySelectorAll(".lazylab-chart")].map(
  (c) => c.layout.yaxis.title.text)"""


def test_it_opens_finished_and_a_cold_link_keeps_its_state_through_navigation(server, tab):
    tab.goto(f"{server}/phases?p_axis=α&p_feature=0.1")
    for _ in range(2):
        tab.wait_for_function(DRAWN, arg=8)
        tab.get_by_text("runs reached their end").wait_for()
        assert tab.evaluate(TITLES)[0] == "α (no unit)"
        expect_chosen(tab, "Feature side", "0.1")
        expect_in_link(tab, p_axis="α", p_feature="0.1")
        visit(tab, "Runs")
        tab.get_by_role("heading", name="Open a file").wait_for()
        visit(tab, "Feature or lazy")
    assert not tab.locator("[data-testid=stException]").count()


def test_the_axis_turns_from_one_product_to_alpha(server, tab):
    tab.goto(f"{server}/phases")
    wait_for_chart(tab)
    assert tab.evaluate(TITLES)[0] == "√h α (no unit)"
    tab.get_by_role("radio", name="α", exact=True).click()
    tab.wait_for_function(
        "() => document.querySelector('.lazylab-chart').layout.yaxis.title.text === 'α (no unit)'"
    )


def test_another_choice_is_swept_in_the_worker_and_drawn_as_it_fills(server, tab):
    tiny = "p_widths=16,32&p_scales=1,100&p_seeds=0:3&p_more=n_train=6%20n_test=8"
    tab.goto(f"{server}/phases?{tiny}")
    tab.get_by_text("12 are not there yet").wait_for()
    tab.get_by_role("button", name="Sweep 12 runs").click()
    tab.get_by_text("12 of 12 runs reached their end.").wait_for()
    assert not tab.locator("[data-testid=stException]").count()
