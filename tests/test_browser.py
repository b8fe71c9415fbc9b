"""The dashboard in a real browser: links, live curves, zoom, cancel, and what a kill leaves."""

import os
import re
import signal

import psutil
import pytest
from conftest import PATIENCE, running_server
from playwright.sync_api import expect

from pages.widgets.declared import pages

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)

QUICK = "dynamics=gd&steps=50&width=10&n_train=8&n_test=10"
LONG = "dynamics=gd&steps=3000000&width=30&n_train=20&n_test=20"
CHART = ".lazylab-chart .main-svg"
ZOOMED = [0.5, 1.5]
CHART_STATE = """() => {
  const chart = document.querySelector(".lazylab-chart");
  return [chart._fullLayout.xaxis.range, chart.data[0].x.length];
}"""


def press(tab, name):
    tab.get_by_role("button", name=name, exact=True).click()


def expect_in_box(tab, label, text):
    """Assert what the control of this label shows."""
    expect(tab.get_by_label(label, exact=True)).to_have_value(text)


def expect_chosen(tab, label, option):
    """Assert which option the list of this label shows."""
    expect(tab.get_by_role("combobox", name=label)).to_have_value(option)


def expect_in_link(tab, **fields):
    """Wait until the address says this."""
    tab.wait_for_function(
        """(fields) => {
          const link = new URLSearchParams(location.search);
          return Object.entries(fields).every(([name, value]) => link.get(name) === value);
        }""",
        arg=fields,
    )


def wait_for_chart(tab):
    tab.locator(CHART).first.wait_for()
    tab.wait_for_function("() => document.querySelector('.lazylab-chart')?._fullLayout?.xaxis")


def start_long_run(tab, server, seed):
    tab.goto(f"{server}/explore?{LONG}&seed={seed}")
    tab.get_by_text("Not computed yet").wait_for()
    press(tab, "Run")
    wait_for_chart(tab)


def visit(tab, title):
    """Go to a page by the navigation, which may have it in a group."""
    group = next(page.group for page in pages().values() if page.title == title)
    navigation = tab.get_by_test_id("stTopNav")
    if group:
        navigation.get_by_text(group, exact=True).click()
        tab.get_by_role("menuitem", name=title).click()
    else:
        navigation.get_by_role("link", name=title).click()


def cancel(tab):
    press(tab, "Cancel")
    tab.get_by_text("what it had computed is kept").wait_for()


def test_home_shows_its_pictures_numbers_and_charts(server, tab):
    tab.goto(server)
    pictures = tab.locator('img[src^="data:image/svg+xml"]')
    pictures.first.wait_for()
    expect(pictures).to_have_count(3)
    assert "α = 0.1" in pictures.first.get_attribute("alt")
    wait_for_chart(tab)
    tab.get_by_text("Theorem", exact=False).first.wait_for()
    assert not tab.locator("[data-testid=stException]").count()


def test_a_cold_deep_link_sets_five_fields_and_navigation_keeps_them(server, tab):
    fields = {
        "alpha": "7.5",
        "width": "24",
        "loss": "logistic",
        "task": "circles",
        "time": "3.0",
    }
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    tab.goto(f"{server}/explore?{query}")
    tab.get_by_text("Not computed yet").wait_for()
    for _ in range(2):
        expect_in_box(tab, "α, output scale, exact", "7.5")
        expect_in_box(tab, "Width, exact", "24")
        expect_chosen(tab, "Loss", "logistic")
        expect_chosen(tab, "Task", "circles")
        expect_in_link(tab, **fields)
        visit(tab, "Runs")
        tab.get_by_role("heading", name="Open a file").wait_for()
        visit(tab, "Explore")
        tab.get_by_text("Not computed yet").wait_for()


def test_two_quick_clicks_away_and_back_lose_no_control(server, tab):
    tab.goto(f"{server}/explore?alpha=7.5&task=circles&axes=linear")
    tab.get_by_text("Not computed yet").wait_for()
    for _ in range(4):
        visit(tab, "Runs")
        visit(tab, "Explore")
        tab.get_by_text("Not computed yet").wait_for()
        expect_in_box(tab, "α, output scale, exact", "7.5")
        expect_chosen(tab, "Task", "circles")
        expect_in_link(tab, alpha="7.5", task="circles", axes="linear")


def test_the_link_of_home_keeps_its_alpha(server, tab):
    tab.goto(f"{server}/?at=300")
    tab.get_by_text("At α = 300:").wait_for()
    visit(tab, "Runs")
    tab.get_by_role("heading", name="Open a file").wait_for()
    visit(tab, "Home")
    tab.get_by_text("At α = 300:").wait_for()
    expect_in_link(tab, at="300")


def test_a_run_of_home_opens_in_explore_with_its_figures(server, tab):
    tab.goto(f"{server}/?at=30")
    tab.get_by_role("link", name="Change anything about this run").click()
    tab.get_by_role("heading", name="Explore").wait_for()
    wait_for_chart(tab)
    expect_in_box(tab, "α, output scale, exact", "30.0")
    expect_chosen(tab, "Task", "digits")
    expect(tab.get_by_test_id("stAlert")).to_have_count(0)


def test_a_preset_is_whole_in_the_address(server, tab):
    tab.goto(f"{server}/explore")
    tab.get_by_text("Too large a step", exact=True).click()
    tab.locator(CHART).get_by_text("the linearisation diverged").first.wait_for()
    expect_in_link(tab, dynamics="gd", steps="300", step_size="40")
    tab.reload()
    tab.locator(CHART).get_by_text("the linearisation diverged").first.wait_for()


def test_a_run_finishes_and_its_curves_are_on_the_page(server, tab):
    tab.goto(f"{server}/explore?{QUICK}&dim=2")
    tab.get_by_text("Not computed yet").wait_for()
    press(tab, "Run")
    wait_for_chart(tab)
    tab.get_by_text("Paths of the neurons").wait_for()
    names = tab.evaluate(
        "() => document.querySelector('.lazylab-chart').data.map((trace) => trace.name)"
    )
    assert "network, train" in names and "linearisation, train" in names
    expect(tab.get_by_role("button", name="CSV")).to_have_count(7)
    with tab.expect_download() as download:
        tab.get_by_role("button", name="CSV").first.click()
    assert download.value.path().read_text().startswith("curve,flow time t,loss")


def test_the_play_button_moves_the_neurons(server, tab):
    tab.goto(f"{server}/explore?{QUICK}&dim=2&seed=2")
    tab.get_by_text("Not computed yet").wait_for()
    press(tab, "Run")
    tab.get_by_text("Paths of the neurons").wait_for()
    chart = tab.locator(".lazylab-chart", has_text="Paths of the neurons")
    chart.locator(".slider-group").wait_for()
    # What it shows is noted as it is shown: by the time we look it may have played to its end.
    frames = chart.evaluate(
        """(chart) => {
          window.shown = [];
          chart.on("plotly_animatingframe", (event) => window.shown.push(event.name));
          return chart._transitionData._frames.map((frame) => frame.name);
        }"""
    )
    chart.locator(".updatemenu-button", has_text="play").click()
    tab.wait_for_function(f"() => window.shown.length >= {len(frames)}")
    assert tab.evaluate("window.shown") == frames


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_text_of_a_figure_has_the_colour_of_the_page(server, browser, scheme):
    tab = browser.new_page(color_scheme=scheme)
    tab.set_default_timeout(PATIENCE)
    tab.goto(server)
    wait_for_chart(tab)
    tab.locator(".lazylab-chart .xtitle").first.wait_for()
    colours = tab.evaluate(
        """() => [getComputedStyle(document.querySelector(".lazylab-chart .xtitle")).fill,
                  getComputedStyle(document.querySelector(".stApp")).color]"""
    )
    tab.close()
    assert colours[0] == colours[1]
    assert (int(colours[0].split("(")[1].split(",")[0]) > 128) == (scheme == "dark")


def test_zoom_survives_live_updates(server, tab):
    start_long_run(tab, server, seed=1)
    tab.evaluate(
        f"() => Plotly.relayout(document.querySelector('.lazylab-chart'),"
        f" {{'xaxis.range': {ZOOMED}}})"
    )
    before = tab.evaluate(CHART_STATE)
    tab.wait_for_function(
        f"() => document.querySelector('.lazylab-chart').data[0].x.length > {before[1]}"
    )
    assert tab.evaluate(CHART_STATE)[0] == ZOOMED
    cancel(tab)
    assert tab.evaluate(CHART_STATE)[0] == ZOOMED


def test_cancel_keeps_the_partial_curve_and_marks_it(server, tab):
    start_long_run(tab, server, seed=2)
    cancel(tab)
    tab.locator(CHART).get_by_text("cancelled: a partial run").first.wait_for()
    expect(tab.get_by_role("button", name="Run", exact=True)).to_be_enabled()


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("alpha=abc", "alpha=abc is not allowed"),
        ("widht=3", "Did you mean 'width'?"),
        ("task=imagenet", "task=imagenet is not allowed"),
    ],
)
def test_a_bad_link_is_one_sentence_and_the_page_works(server, tab, link, sentence):
    tab.goto(f"{server}/explore?{link}")
    alerts = tab.get_by_test_id("stAlert").filter(has_text=sentence)
    alerts.first.wait_for()
    expect(alerts).to_have_count(1)
    assert not tab.locator("[data-testid=stException]").count()
    tab.get_by_text("No zero output", exact=True).click()
    wait_for_chart(tab)


def test_a_run_of_a_trillion_steps_is_refused_in_a_sentence(server, tab):
    tab.goto(f"{server}/explore?dynamics=gd&steps=1e12")
    tab.get_by_text("Not computed yet").wait_for()
    press(tab, "Run")
    tab.get_by_test_id("stAlert").filter(has_text=re.compile("steps|budget|seconds")).wait_for()
    assert not tab.locator("[data-testid=stException]").count()


def test_two_tabs_see_one_run(server, tab):
    start_long_run(tab, server, seed=3)
    other = tab.context.new_page()
    other.goto(f"{server}/explore?{LONG}&seed=3")
    other.get_by_text("Training on").wait_for()
    wait_for_chart(other)
    runs = tab.context.new_page()
    runs.goto(f"{server}/runs")
    runs.get_by_text("running", exact=True).wait_for()
    expect(runs.get_by_role("button", name="Cancel")).to_have_count(1)
    cancel(other)
    tab.get_by_text("what it had computed is kept").wait_for()


def test_kill_9_of_the_server_leaves_no_process_behind(browser, tmp_path):
    with running_server(tmp_path) as (process, address):
        tab = browser.new_page()
        tab.set_default_timeout(PATIENCE)
        start_long_run(tab, address, seed=4)
        family = psutil.Process(process.pid).children(recursive=True)
        assert family, "the server has a worker"
        os.kill(process.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(family, timeout=PATIENCE / 1000)
        tab.close()
        assert not alive
