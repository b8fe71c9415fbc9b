"""The address of each page: what belongs in it, and Back, Forward and reload in a browser."""

import re
from pathlib import Path

import pytest
from test_browser import expect_chosen, expect_in_box, expect_in_link, visit, wait_for_chart
from test_pages import opened

from lazycore.config.run import all_fields
from pages.widgets.declared import pages
from pages.widgets.parameters import belongs, may_be_field, owner

PAGES = Path(__file__).resolve().parent.parent / "pages"
QUOTED = re.compile(r'"((?:[a-z]{1,2}|fig|compare)_[a-z_]+)"')
WITH_CONTROLS = [name for name in pages() if name not in ("home", "explore", "sweep", "runs")]


def test_no_field_of_a_run_is_a_parameter_of_a_page():
    assert all(owner(name) is None and may_be_field(name) for name in all_fields())


@pytest.mark.parametrize("page", WITH_CONTROLS)
def test_what_a_page_writes_into_the_address_is_its_own(page):
    names = set(QUOTED.findall((PAGES / page / "controls.py").read_text()))
    own = pages()[page].parameters
    bound = {name for name in names - all_fields().keys() if name.startswith(own)}
    assert bound and all(belongs(name, page) and not may_be_field(name) for name in bound)
    assert not any(
        belongs(name, other) for name in bound for other in pages() if other not in (page, "home")
    )


@pytest.mark.parametrize("link", [{"p_model": "two_layer"}, {"p_widths": "8,16"}])
def test_a_page_does_not_read_what_another_one_has_in_its_address(link):
    app = opened("phases", **link)
    app.switch_page("sweep/page.py").run()
    assert not app.exception and not app.error
    assert not opened("explore", **link).error


@pytest.mark.browser
def test_back_forward_and_reload_keep_what_was_there(server, tab):
    def is_there():
        expect_in_box(tab, "α, output scale, exact", "0.2")
        expect_chosen(tab, "Task", "circles")
        expect_in_link(tab, task="circles", loss="logistic", alpha="0.2", time="300")

    tab.goto(f"{server}/explore?task=circles&loss=logistic&alpha=0.2&time=300")
    is_there()
    visit(tab, "Theorems")
    tab.get_by_role("heading", name="Theorem 2.4").wait_for()
    wait_for_chart(tab)
    tab.get_by_label("α, exact", exact=True).fill("50")
    tab.get_by_label("α, exact", exact=True).press("Enter")
    expect_in_link(tab, t_alpha="50")
    tab.go_back(wait_until="commit")  # what was typed
    expect_in_box(tab, "α, exact", "")
    tab.go_back(wait_until="commit")
    is_there()
    tab.reload()
    is_there()
    for _ in range(2):
        tab.go_forward(wait_until="commit")
        tab.get_by_role("heading", name="Theorem 2.4").wait_for()
    expect_in_box(tab, "α, exact", "50")
    expect_in_link(tab, t_alpha="50")


WRONG = {
    "theorems": [("alpha", "3"), ("t_axes", "cubic"), ("t_foo", "1")],
    "figures": [("fig_axes", "cubic"), ("x", "1"), ("fig", "9z")],
    "phases": [("p_axis", "time"), ("p_foo", "1"), ("p_task", "none")],
    "refresh": [("r_axes", "cubic"), ("alpha", "1"), ("r_problem", "none")],
    "compare": [("compare_axes", "cubic"), ("by_seed", "perhaps"), ("y", "1")],
    "home": [("at", "2"), ("alpha", "3")],
    "runs": [("alpha", "3")],
}


@pytest.mark.parametrize(
    ("page", "link"), [(p, link) for p, some in WRONG.items() for link in some]
)
def test_a_link_says_what_its_page_does_not_read(page, link):
    name, value = link
    app = opened(page, **{name: value})
    said = [error.value.replace("\\", "") for error in app.error]
    assert not app.exception and len(said) == 1 and value in said[0], said


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("theorems", {"t_alpha": "50", "t_axes": "linear", "v": "1"}),
        ("phases", {"p_model": "two_layer", "p_axis": "α"}),
        ("compare", {"by_seed": "false", "figures": "gap"}),
        ("home", {"at": "30"}),
        ("figures", {"fig": "2a", "embed": "true"}),
    ],
)
def test_a_link_that_is_read_is_not_complained_of(page, link):
    app = opened(page, **link)
    assert not app.exception and not app.error


def test_what_a_page_reads_is_named_without_what_only_draws_it():
    app = opened("theorems", alpha="3")
    (error,) = app.error
    assert "reads t_alpha, t_axes, t_problem, t_theorem, t_time." in error.value.replace("\\", "")
