"""Sweep and Compare in a real browser: cold links, a map that fills, a click that leads on."""

from urllib.parse import parse_qs, urlsplit

import pandas
import pytest
from playwright.sync_api import expect
from test_browser import visit

from lazycore.papers.ours import home

pytestmark = pytest.mark.browser

CHART = ".lazylab-chart .main-svg"
TINY = "task=sine&activation=tanh&dynamics=gd&n_train=6&n_test=0&loss=square"
FILLED = """(cells) => {
  const map = document.querySelector(".lazylab-chart")?.data?.[0];
  return map?.z?.flat().filter((height) => height !== null).length >= cells;
}"""


def link_of(tab):
    """Return what the address says now."""
    query = urlsplit(tab.evaluate("location.href")).query
    return {name: values[-1] for name, values in parse_qs(query).items()}


def wait_for_map(tab):
    tab.locator(CHART).first.wait_for(timeout=60_000)
    tab.wait_for_function("() => document.querySelector('.lazylab-chart')?._fullLayout?.xaxis")


def click_cell(tab, x, y):
    """Click the map where its cell (x, y) is, in values of the axes."""
    place = tab.evaluate(
        """([x, y]) => {
          const chart = document.querySelector(".lazylab-chart"), layout = chart._fullLayout;
          const box = chart.querySelector(".nsewdrag").getBoundingClientRect();
          return [box.x + layout.xaxis.d2p(x), box.y + layout.yaxis.d2p(y)];
        }""",
        [x, y],
    )
    tab.mouse.move(*place)
    tab.wait_for_timeout(300)  # plotly answers a click with what it last found below the mouse
    tab.mouse.click(*place)


def test_a_cold_link_with_axes_sets_every_control_and_navigation_keeps_them(server, tab):
    tab.goto(f"{server}/sweep?{TINY}&alpha=1,10,100&width=4,8&steps=11&of=kernel_change&x=width")
    tab.get_by_text("Not computed yet").wait_for()
    for _ in range(2):
        for label, text in (("α, output scale", "1,10,100"), ("Width", "4,8")):
            expect(tab.get_by_label(label, exact=True)).to_have_value(text)
        for label, name in (("Task", "sine"), ("Across", "width"), ("Colour", "kernel_change")):
            expect(tab.get_by_role("combobox", name=label)).to_have_value(name)
        # The address follows the controls a moment later.
        for part in ("s_alpha=1%2C10%2C100", "s_steps=11", "s_of=kernel_change"):
            tab.wait_for_function(f"() => location.href.includes('{part}')")
        visit(tab, "Explore")
        tab.get_by_role("heading", name="How fast does the distance fall").wait_for()
        assert not tab.get_by_test_id("stAlert").filter(has_text="not allowed").count()
        visit(tab, "Sweep")
        tab.get_by_text("Not computed yet").wait_for()


def test_the_shipped_sweep_is_there_and_can_be_taken_away(server, tab):
    tab.goto(f"{server}/sweep")
    wait_for_map(tab)
    assert tab.evaluate(FILLED, 36)
    tab.get_by_text("Theorem 2.2 says −1").wait_for()
    for name, read in (("CSV of all runs", pandas.read_csv), ("Parquet", pandas.read_parquet)):
        with tab.expect_download() as download:
            tab.get_by_role("button", name=name).click()
        assert len(read(download.value.path())) == 108
    assert not tab.locator("[data-testid=stException]").count()


def test_the_map_fills_while_it_computes_and_a_cell_leads_to_its_run(server, tab):
    # Runs of two lengths: the long ones last until they are cancelled.
    axes = "alpha=1,10&width=4,8&steps=50,3000000&y=steps&at_width=8"
    tab.goto(f"{server}/sweep?{TINY}&{axes}")
    tab.get_by_text("Not computed yet").wait_for()
    tab.get_by_role("button", name="Sweep 8 runs").click()
    tab.get_by_text("of 8 cells").wait_for()
    tab.wait_for_function(FILLED, arg=2, timeout=120_000)
    click_cell(tab, 10, 50)
    tab.get_by_text("α = 10, steps = 50").wait_for()
    assert len(link_of(tab)["s_cell"]) == 16
    tab.get_by_role("button", name="Cancel").click()
    tab.get_by_text("4 of 8 cells are there").wait_for()
    expect(tab.get_by_role("button", name="Sweep 8 runs")).to_be_enabled()
    tab.reload()
    tab.get_by_role("link", name="Open this run in Explore").click()
    tab.get_by_role("heading", name="Explore").wait_for()
    assert (link_of(tab)["alpha"], link_of(tab)["steps"]) == ("10.0", "50")
    wait_for_map(tab)
    assert not tab.get_by_text("Not computed yet").count()  # a cell is a run like any other


def test_a_sweep_that_ends_fills_the_map(server, tab):
    tab.goto(f"{server}/sweep?{TINY}&alpha=2,20&width=4,8&steps=50")
    tab.get_by_text("Not computed yet").wait_for()
    tab.get_by_role("button", name="Sweep 4 runs").click()
    tab.wait_for_function(FILLED, arg=4, timeout=120_000)
    expect(tab.get_by_role("button", name="Cancel")).to_be_disabled(timeout=60_000)


def test_three_runs_are_compared_from_a_link(server, tab):
    runs = [home.nearest(alpha) for alpha in (0.3, 3.0, 300.0)]
    digests = ",".join(run.digest for run in runs if run is not None)
    tab.goto(f"{server}/compare?runs={digests}&figures=gap")
    wait_for_map(tab)
    names = tab.evaluate(
        "() => document.querySelector('.lazylab-chart').data.map((trace) => trace.name)"
    )
    assert names == ["α = 0.3", "α = 3", "α = 300"]
    expect(tab.locator(".lazylab-chart")).to_have_count(1)
    expect(tab.get_by_role("columnheader")).to_have_text(["quantity", *names])
    tab.get_by_role("button", name="Copy LaTeX").click()
    tab.get_by_text(r"\begin{tabular}{lrrr}").wait_for()
    assert link_of(tab)["runs"] == digests


def sweep_to_its_end(tab, address, runs):
    tab.goto(address)
    tab.get_by_text("Not computed yet").wait_for()
    tab.get_by_role("button", name=f"Sweep {runs} runs").click()
    tab.get_by_text("Not computed yet").wait_for(state="hidden")
    expect(tab.get_by_role("button", name="Cancel")).to_be_disabled(timeout=120_000)


def test_along_one_axis_a_line_says_from_where_on_runs_are_lazy(server, tab):
    sweep_to_its_end(tab, f"{server}/sweep?{TINY}&width=16&steps=60&alpha=0.1:100:5&seed=0:3", 15)
    said = tab.get_by_text("Lazy from α* =")
    said.wait_for()
    assert "over N = 3 seeds" in said.inner_text() and "What decides is the" in said.inner_text()
    wait_for_map(tab)
    shapes = tab.evaluate("() => document.querySelector('.lazylab-chart').layout.shapes")
    assert [shape["type"] for shape in shapes] == ["line", "line", "rect"]
    assert shapes[2]["x0"] <= shapes[1]["x0"] <= shapes[2]["x1"]
    assert not tab.locator("[data-testid=stException]").count()


def test_two_widths_of_five_seeds_are_two_bands_in_one_click(server, tab):
    sweep_to_its_end(tab, f"{server}/sweep?{TINY}&width=4,8&steps=20&seed=0:5", 10)
    tab.get_by_role("link", name="Compare these 2 groups").click()
    tab.get_by_role("heading", name="Final numbers").wait_for()
    wait_for_map(tab)
    names = ["width = 4, N = 5", "width = 8, N = 5"]
    expect(tab.get_by_role("columnheader")).to_have_text(["quantity", *names])
    filled = "(trace) => trace.fill === 'toself'"
    chart = "document.querySelectorAll('.lazylab-chart')[1].data"
    assert tab.evaluate(f"() => {chart}.filter({filled}).length") == 2
    assert len(link_of(tab)["runs"]) < 60


@pytest.mark.parametrize("page", ["sweep?alpha=1:10", "compare?runs=0123456789abcdef"])
def test_a_bad_link_is_one_sentence(server, tab, page):
    tab.goto(f"{server}/{page}")
    alerts = tab.get_by_test_id("stAlert").filter(has_text="is not allowed")
    other = tab.get_by_test_id("stAlert").filter(has_text="says no number of values")
    third = tab.get_by_test_id("stAlert").filter(has_text="No result of run")
    alerts.or_(other).or_(third).first.wait_for()
    assert not tab.locator("[data-testid=stException]").count()
