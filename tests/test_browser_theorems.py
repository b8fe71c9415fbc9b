"""The Theorems page in a real browser: its link, a turned constant, the moving picture."""

import pytest
from playwright.sync_api import expect
from test_browser import expect_chosen, expect_in_box, expect_in_link, visit, wait_for_chart

pytestmark = pytest.mark.browser
PLAY = """async () => {
  const charts = [...document.querySelectorAll(".lazylab-chart")];
  const chart = charts.find((c) => c._transitionData?._frames?.length);
  await globalThis.Plotly.animate(chart, ["0"], { mode: "immediate", frame: { duration: 0 } });
  return chart.data.slice(-2).map((trace) => [trace.x[0], trace.y[0]]);
}"""


def test_a_deep_link_keeps_statement_problem_and_constants(server, tab):
    fields = {
        "t_theorem": "Theorem 2.4",
        "t_problem": "quadratic model, κ = 4",
        "t_alpha": "700",
    }
    tab.goto(f"{server}/theorems?" + "&".join(f"{k}={v}" for k, v in fields.items()))
    for _ in range(2):
        wait_for_chart(tab)
        tab.get_by_text("α = 700 against 384").wait_for()
        expect_chosen(tab, "Statement", "Theorem 2.4")
        expect_chosen(tab, "Problem", "quadratic model, κ = 4")
        expect_in_box(tab, "α, exact", "700")
        # The statement that the page opens with is not in the address.
        expect_in_link(tab, t_problem=fields["t_problem"], t_alpha="700")
        visit(tab, "Runs")
        tab.get_by_role("heading", name="Open a file").wait_for()
        visit(tab, "Theorems")
    assert not tab.locator("[data-testid=stException]").count()


def test_what_is_chosen_here_is_no_field_of_explore(server, tab):
    tab.goto(f"{server}/theorems?t_theorem=Theorem 2.2&t_alpha=10")
    wait_for_chart(tab)
    tab.get_by_role("link", name="Explore", exact=True).click()
    tab.get_by_role("heading", name="Explore").wait_for()
    wait_for_chart(tab)
    expect(tab.get_by_test_id("stAlert")).to_have_count(0)


def test_the_figure_eight_moves_from_the_crossing_to_its_local_minimum(server, tab):
    tab.goto(f"{server}/theorems?t_theorem=Theorem 2.5")
    tab.get_by_text("Paths of the outputs").wait_for()
    wait_for_chart(tab)
    tab.wait_for_function(
        "() => [...document.querySelectorAll('.lazylab-chart')]"
        ".some((c) => c._transitionData?._frames?.length)"
    )
    assert tab.evaluate(PLAY) == [[0, 0], [0, 0]]
