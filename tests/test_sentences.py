"""Words of others on a page: they say just themselves, whatever markdown would make of them."""

import ast
from pathlib import Path

import pytest

from pages.widgets.sentences import plain

PAGES = Path(__file__).resolve().parent.parent / "pages"
SAYS = {"error", "warning", "info", "success", "exception", "toast"}
WITH_MARKS = {"widgets/progress.py", "refresh/view.py", "widgets/jobs.py", "figures/view.py"}
"""Files whose remarks are of our own words and numbers, with marks of markdown in them."""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[Session over](http://a.b)", "\\[Session over\\](http:\u2060//a.b)"),
        ("![x](b)", "!\\[x\\](b)"),
        (
            ":red[x] :smile: :material/home:",
            ":\u2060red\\[x\\] :\u2060smile: :\u2060material/home:",
        ),
        ("1:100:5", "1:\u2060100:5"),
        (
            "$x$ and `y` and <b> & *z* ~~w~~",
            "\\$x\\$ and \\`y\\` and \\<b> \\& \\*z\\* \\~\\~w\\~\\~",
        ),
        ("_a_ and n_train and __b", "\\_a\\_ and n_train and \\_\\_b"),
        ("# a", "\\# a"),
        ("- a", "\\- a"),
        ("1. a", "1\\. a"),
        ("a\n\n# b\u202e\x00", "a # b��"),
        ("www.a.b and c@d.e", "www\u2060.a.b and c@\u2060d.e"),
        ("HTTPS://a.b", "HTTPS:\u2060//a.b"),
        ("alpha=-1 is not allowed: give a number", "alpha=-1 is not allowed: give a number"),
        ("a|b", "a\\|b"),
        ("a\\*b", "a\\\\\\*b"),
    ],
)
def test_words_of_others_are_escaped_where_markdown_would_take_them(text, said):
    assert plain(text) == said


def test_messages_that_are_not_our_own_words_go_through_one_place():
    for path in sorted(PAGES.rglob("*.py")):
        if path.name == "sentences.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                is_said = getattr(node.func.value, "id", "") == "st" and node.func.attr in SAYS
                ours = node.args and isinstance(node.args[0], ast.Constant)
                marked = str(path.relative_to(PAGES)) in WITH_MARKS and node.func.attr in (
                    "info",
                    "warning",
                )
                assert not is_said or ours or marked, f"{path.name}:{node.lineno}"
