"""Every page before a checker of accessibility, and the maps without a mouse."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import PATIENCE
from playwright.sync_api import expect
from test_browser_sweep import link_of, wait_for_map

from lazycore.config.run import RunConfig
from lazycore.papers.ours import home
from pages.widgets import links

pytestmark = pytest.mark.browser

DIGESTS = ",".join(run.digest for run in map(home.nearest, (0.3, 3.0)) if run is not None)
PAGES = [
    "",
    "explore",
    "sweep",
    "phases",
    "refresh",
    f"compare?runs={DIGESTS}",
    "figures",
    "theorems",
    "runs",
    "data",
]
HARD = {"serious", "critical"}
SETTLED = """() => document.querySelector('[data-test-script-state="notRunning"]') && document
  .querySelector("h1") && [...document.querySelectorAll(".lazylab-chart")].every(
  (chart) => chart._fullLayout?.xaxis)"""
HEADINGS = "() => [...document.querySelectorAll('h1, h2, h3, h4')].map((h) => +h.tagName[1])"
PICTURES = """() => [...document.querySelectorAll('.lazylab-chart, [role=main] img, .stMain img')]
  .map((picture) => picture.getAttribute("alt") ?? picture.getAttribute("aria-label"))"""
CELL = '[role="application"][aria-label*="Arrow keys"]'


@pytest.fixture(scope="module")
def shared(browser):
    """One tab for all pages, so that they load plotly once."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def open_page(tab, server, page):
    """Open a page, Explore with a run that has ended, and wait until it is drawn."""
    if page == "explore":
        result = home.nearest(30.0)
        assert result is not None and result.config is not None
        page = f"explore?{links.link(RunConfig.from_dict(result.config)).split('?')[1]}"
    tab.goto(f"{server}/{page}")
    tab.get_by_role("heading", level=1).wait_for()
    if not page.startswith(("runs", "data")):
        tab.locator(".lazylab-chart .main-svg").first.wait_for()
    tab.wait_for_function(SETTLED)


def faults(tab):
    """Return what the checker finds on the page that is serious, or a heading out of order."""
    return [
        (fault["id"], node["target"], node["failureSummary"])
        for fault in Axe().run(tab).response["violations"]
        if fault["impact"] in HARD or fault["id"] == "heading-order"
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.split("?")[0] or "home")
def test_a_page_has_no_serious_fault_and_its_headings_are_in_order(server, shared, page):
    tab = shared
    open_page(tab, server, page)
    assert not faults(tab)
    levels = tab.evaluate(HEADINGS)
    assert levels[0] == 1 and levels.count(1) == 1
    # A picture that only names itself has no number in what is read out of it.
    said = tab.evaluate(PICTURES)
    assert all(text and re.search(r"\d", text) for text in said), said
    named = tab.locator(".lazylab-chart:is([role=figure], [role=application])[aria-label]")
    expect(named).to_have_count(tab.locator(".lazylab-chart").count())


def test_a_page_is_no_wider_than_a_telephone_and_no_bar_lies_on_a_title(server, browser):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    tab = context.new_page()
    for page in ("", "sweep", "phases", f"compare?runs={DIGESTS}", "theorems"):
        open_page(tab, server, page)
        wide = tab.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
        assert wide <= 390, page
        tab.wait_for_timeout(500)
        assert not faults(tab), page
        assert tab.evaluate(OVERLAPS) == [], page
    context.close()


OVERLAPS = """() => [...document.querySelectorAll(".lazylab-chart")].flatMap((chart) => {
  const place = (name) => chart.querySelector(name)?.getBoundingClientRect();
  const bar = place(".modebar"), edge = chart.getBoundingClientRect();
  return [".gtitle", ".gtitle-subtitle"].filter((name) => {
    const title = place(name);
    return title && (title.right > edge.right || title.top < edge.top - 1 || (bar &&
      title.right > bar.left && title.top < bar.bottom - 2 && bar.top < title.bottom - 2));
  }).map((name) => [name, chart.querySelector(name).textContent]);
})"""


def test_arrow_keys_walk_over_the_map_and_enter_opens_a_cell(server, tab):
    tab.goto(f"{server}/sweep")
    wait_for_map(tab)
    chart = tab.locator(CELL).first
    expect(chart).to_have_attribute("tabindex", "0")
    chart.focus()
    frame, said = chart.locator(".lazylab-frame"), tab.locator(".lazylab-said").first
    tab.keyboard.press("ArrowRight")  # onto the map, its first cell
    frame.wait_for()
    expect(said).to_contain_text("α = 0.01, width = 16")
    first = frame.bounding_box()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowUp")
    second = frame.bounding_box()
    assert second["x"] > first["x"] and second["y"] < first["y"]
    expect(said).to_contain_text("width = 32")
    expect(said).to_contain_text("median")
    where = ", ".join(said.text_content().split(", ")[:2])
    tab.keyboard.press("Enter")
    tab.get_by_test_id("stMarkdown").get_by_text(where).wait_for()
    assert len(link_of(tab)["s_cell"]) == 16
    frame.wait_for()
    tab.keyboard.press("End")
    expect(said).to_contain_text("α = 100, width = 32")


def test_the_phase_diagram_is_read_out_by_keyboard(server, tab):
    tab.goto(f"{server}/phases")
    wait_for_map(tab)
    tab.locator(CELL).first.focus()
    tab.keyboard.press("ArrowUp")
    said = tab.locator(".lazylab-said").first
    expect(said).to_contain_text("h = 25")
    tab.keyboard.press("ArrowRight")
    expect(said).to_contain_text("h = 50")
    expect(said).to_contain_text("test error")
    tab.locator(".lazylab-frame").wait_for()
    tab.keyboard.press("Escape")
    expect(said).to_have_text("")
