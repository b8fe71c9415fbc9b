"""`python -m lazycore new paper`: what it writes is a paper, with a claim, a test and a page."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documents import ROOT

from lazycore import papers
from lazycore.cli import main, new
from lazycore.errors import ConfigError

FILES = {
    "lazycore/papers/two_scales/__init__.py",
    "lazycore/papers/two_scales/claims/__init__.py",
    "lazycore/papers/two_scales/claims/first.py",
    "pages/two_scales/__init__.py",
    "pages/two_scales/page.py",
    "tests/test_two_scales.py",
}


def test_a_paper_is_a_folder_a_test_and_a_page(tmp_path):
    written = new.write_paper("two_scales", tmp_path)
    assert {path.as_posix() for path in written} == FILES
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.py")} == FILES
    texts = [(tmp_path / path).read_text() for path in written]
    assert not any("$" in text for text in texts) and 'title="Two scales"' in texts[0]


def test_what_is_written_is_formatted_and_linted_as_the_tree_is(tmp_path):
    new.write_paper("two_scales", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    ours = ["--config", "lint.isort.known-first-party=['lazycore', 'pages']"]
    for step in (["format", "--check"], ["check", *ours]):
        done = subprocess.run(["ruff", *step, "-q", "."], cwd=tmp_path, env=with_our_tools())
        assert done.returncode == 0


def with_our_tools() -> dict[str, str]:
    """Return the environment in which this Python's programs are found first."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize("name", ["", "Two", "two-scales", "../two", "2s", "two__scales", "class"])
def test_a_name_that_is_none_of_a_folder_is_refused_and_nothing_is_written(name, tmp_path):
    with pytest.raises(ConfigError, match="is no name of a folder"):
        new.write_paper(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_paper_that_is_there_is_left_as_it_is(tmp_path):
    new.write_paper("two_scales", tmp_path)
    (tmp_path / "pages" / "two_scales" / "page.py").unlink()
    with pytest.raises(ConfigError, match="is there already"):
        new.write_paper("two_scales", tmp_path)
    assert not (tmp_path / "pages" / "two_scales" / "page.py").exists()


def test_an_installed_library_says_that_it_is_no_checkout(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(papers, "__path__", [str(tmp_path / "lazycore" / "papers")])
    assert main(["new", "paper", "two_scales"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "is added to a checkout" in said.err


def test_a_paper_holds_in_a_copy_of_the_tree(tmp_path):
    """Its own test, and the page's declaration, as `git clone` and one command would have them."""
    for part in ("lazycore", "pages"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"}

    def call(*words: str) -> str:
        command = [sys.executable, *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert set(call("-m", "lazycore", "new", "paper", "two_scales").split()) == FILES
    call("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_two_scales.py")
    titles = "from pages.widgets.declared import pages; print([p.title for p in pages().values()])"
    assert "Two scales" in call("-c", titles)
