"""What the policy of the server allows is what the pages need: nothing is refused in a browser."""

import pytest
from conftest import PATIENCE

pytestmark = pytest.mark.browser
PAGES = ["", "explore", "sweep", "phases", "figures", "theorems", "refresh", "runs", "data"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page or "home")
def test_a_page_is_drawn_whole_and_the_policy_refuses_nothing(server, tab, page):
    said = []
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(f"{server}/{page}")
    tab.get_by_role("heading").first.wait_for()
    if page in ("", "figures"):
        tab.wait_for_function(
            "() => document.querySelector('.lazylab-chart')?._fullLayout?.xaxis", timeout=PATIENCE
        )
        assert tab.locator(".lazylab-chart .main-svg").count()
    tab.wait_for_timeout(500)
    assert not tab.get_by_test_id("stException").count()
    assert [text for text in said if "Content Security Policy" in text] == []


def test_a_page_cannot_be_framed(server, tab):
    tab.set_content(f'<iframe src="{server}/"></iframe>')
    tab.wait_for_timeout(1000)
    assert "chrome-error" in tab.frames[-1].url
