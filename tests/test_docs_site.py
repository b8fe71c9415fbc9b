"""The documentation site is built without a warning, and holds what it promises."""

import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from documents import DOCS, ROOT

import lazycore
from lazycore import papers
from lazycore.cli import main

sys.path.insert(0, str(DOCS / "ext"))
from plain_docstrings import as_rest


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built as `make docs` builds it: any warning is an error."""
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-j", "2"]
    done = subprocess.run(
        [*command, "-d", str(place / "doctrees"), str(DOCS), str(place / "html")],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return place / "html"


def test_each_paper_has_its_page_with_its_checks(site):
    names = [m.name for m in pkgutil.iter_modules(papers.__path__) if m.ispkg]
    for name in names:
        folder = importlib.import_module(f"{papers.__name__}.{name}")
        held = [m.name for m in pkgutil.iter_modules(folder.__path__)]
        page = (site / "papers" / f"{name}.html").read_text()
        assert ("What is checked" in page) == ("claims" in held)
        assert ("Theorems" in page) == ("theorems" in held)
    assert "theorem-2.3" in (site / "papers" / "lazy_training.html").read_text()


def test_every_public_name_and_every_room_is_in_the_reference(site):
    page = (site / "reference" / "python.html").read_text()
    for name in lazycore.__all__:
        assert f'id="lazycore.{name}"' in page, name
    for room in pkgutil.iter_modules(lazycore.__path__):
        if room.name != "__main__":
            assert (site / "reference" / "rooms" / f"{room.name}.html").exists()


def test_every_command_has_its_help_in_the_reference(site, capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    names = re.search(r"\{([\w,]+)\}", capsys.readouterr().out)
    page = (site / "reference" / "cli.html").read_text()
    assert names and all(f'<section id="{name}">' in page for name in names[1].split(","))


def test_formulas_need_no_script_of_a_network(site):
    page = (site / "mathematics.html").read_text()
    assert page.count("<math") > 30 and "<script" in page
    assert "mathjax@" not in page and "cdn." not in page and 'src="http' not in page


@pytest.mark.parametrize(
    ("plain", "rest"),
    [
        ("of `x`s and *y*", "of ``x``\\ s and *y*"),
        ("a_b * c | d", "a\\_b \\* c \\| d"),
        ("`lazycore.errors.ConfigError`", ":py:obj:`lazycore.errors.ConfigError`"),
    ],
)
def test_plain_docstrings_keep_their_words(plain, rest):
    assert as_rest([plain]) == [rest, ""]


def test_equations_arguments_and_examples_of_a_docstring_keep_their_form():
    lines = [
        "Return y:",
        "",
        "    y = x_1",
        "",
        "Args:",
        "    x: (n,)",
        "        of rank 1.",
        "Raises.",
    ]
    assert as_rest([*lines, "", ">>> 1 + 1", "2"]) == [
        *["Return y:", "", "::", "", "    y = x_1", ""],
        *["**Args**", "", "- ``x``: (n,)", "  of rank 1.", "", "Raises.", ""],
        *[">>> 1 + 1", "2", ""],
    ]
