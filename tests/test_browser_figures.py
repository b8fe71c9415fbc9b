"""The Figures page in a real browser: cold links, what can be taken away, and where it leads."""

import csv

import pytest
from playwright.sync_api import expect
from test_browser import visit
from test_browser_sweep import link_of, wait_for_map

pytestmark = pytest.mark.browser


def test_a_cold_link_sets_every_control_and_navigation_keeps_them(server, tab):
    tab.goto(f"{server}/figures?fig=2b&fig_setting=text&fig_size=full&fig_axes=linear")
    wanted = {"fig": "2b", "fig_setting": "text", "fig_size": "full", "fig_axes": "linear"}
    for _ in range(2):
        tab.get_by_text("all weights at one step").wait_for()
        wait_for_map(tab)
        expect(tab.get_by_role("combobox", name="Figure of the paper")).to_have_value("2b")
        assert link_of(tab) == wanted
        kind = tab.evaluate("document.querySelector('.lazylab-chart')._fullLayout.xaxis.type")
        assert kind == "linear"
        visit(tab, "Explore")
        tab.get_by_role("heading", name="Explore").wait_for()
        assert not tab.get_by_test_id("stAlert").filter(has_text="fig").count()
        visit(tab, "Figures")


def test_reported_and_computed_numbers_can_be_taken_away(server, tab):
    tab.goto(f"{server}/figures?fig=4")
    wait_for_map(tab)
    with tab.expect_download() as download:
        tab.get_by_role("button", name="CSV").click()
    rows = list(csv.reader(download.value.path().read_text().splitlines()))
    assert {row[0] for row in rows[1:]} == {"m = 1", "m = 10", "m = 100", "m = 1000", "limit m → ∞"}
    assert not tab.locator("[data-testid=stException]").count()


def test_a_figure_leads_to_its_sweep(server, tab):
    tab.goto(f"{server}/figures?fig=1c&fig_size=full")
    tab.get_by_text("Open in Sweep: 21 init_scale × 10 seed").click()
    tab.get_by_role("button", name="Sweep 210 runs").wait_for()
    assert not tab.get_by_test_id("stAlert").filter(has_text="not allowed").count()


def test_a_bad_link_is_one_sentence_until_something_is_chosen(server, tab):
    tab.goto(f"{server}/figures?fig=9z")
    alert = tab.get_by_test_id("stAlert").filter(has_text="there is no figure '9z'")
    alert.wait_for()
    expect(alert).to_have_count(1)
    assert not tab.locator("[data-testid=stException]").count()
    tab.get_by_text("linear", exact=True).click()
    tab.get_by_text("full", exact=True).click()
    expect(alert).to_have_count(0)
