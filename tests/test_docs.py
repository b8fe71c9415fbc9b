"""What the documentation shows, runs; what it lists, exists."""

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from documents import FENCE, pages

import lazycore
from lazycore import RunConfig, run
from lazycore.config.forecast import seconds, told

ROOT = Path(__file__).parents[1]
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(lazycore.__path__, "lazycore.")
    if not name.endswith("__main__")
]
WITH_EXAMPLES = [n for n in MODULES if ">>>" in Path(str(find_spec(n).origin)).read_text()]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_in_docstrings_run(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


README = (ROOT / "README.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COST = re.compile(r"^([\w ]+): about .* on (one core|\d+ cores) \(estimate\)$", re.MULTILINE)
INSTALLED = Path(sys.prefix) == ROOT / ".venv"
"""Whether this is the environment of `make setup`, which has the project installed."""


def elsewhere(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in another folder: with this project where the environment has it not."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    if INSTALLED:
        environment.pop("PYTHONPATH", None)
    else:
        environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_python_and_the_shell_of_the_readme_run(tmp_path):
    """In one process, and what they say: each its cost before it starts, none on its own."""
    line = next(line for line in README.splitlines() if " -m lazycore run " in line)
    python = elsewhere(tmp_path, "-c", "\n".join(SNIPPETS))
    assert python.returncode == 0, python.stderr
    costs = [found.group(1) for found in COST.finditer(python.stderr)]
    assert costs == ["run", "compare", "16 cells"] and "(estimate)" not in python.stdout
    shell = elsewhere(tmp_path, *line.split()[1:])
    assert (shell.returncode, shell.stderr) == (0, "")
    assert shell.stdout.split()[0] in ("lazy", "crossover", "rich", "undecided")
    assert {path.name for path in tmp_path.iterdir()} == {"mine.npz", "sine.npz"}


def test_the_python_of_the_page_on_modules_runs(tmp_path):
    page = (ROOT / "docs" / "howto" / "module.md").read_text()
    snippets = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    done = elsewhere(tmp_path, "-c", "\n".join(snippets))
    assert done.returncode == 0, done.stderr
    verdict, fine_tuned = done.stdout.split()[0], done.stdout.split("\n")[1]
    assert verdict in ("lazy", "crossover") and fine_tuned == "lazy"
    assert len(done.stdout.splitlines()) == 2 + 1 + 8


def test_each_snippet_that_says_its_cost_says_it_as_it_is():
    for said in re.findall(r"# (run: .*)$", README, re.MULTILINE):
        config = RunConfig(task="digits", alpha=100, width=200)
        assert said == f"run: {told(seconds(config))}"


@pytest.mark.skipif(not INSTALLED, reason="this environment is not that of `make setup`")
def test_the_project_is_imported_in_any_folder_with_its_data(tmp_path):
    script = (
        "from pathlib import Path\n"
        "import lazycore\n"
        "from lazycore import papers, tasks\n"
        "print(Path(lazycore.__file__).parent)\n"
        "lazycore.run(lazycore.RunConfig(task='digits', dynamics='gd', steps=2, width=4))\n"
    )
    done = elsewhere(tmp_path, "-c", script)
    assert (done.returncode, done.stdout.strip()) == (0, str(ROOT / "lazycore")), done.stderr


def test_every_relative_link_and_picture_of_the_documents_exists():
    """But for the pages of papers, which are made when the site is built."""
    for document in (*ROOT.glob("*.md"), *pages()):
        text = FENCE.sub("", document.read_text())
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            made = "papers/" in link and (ROOT / "lazycore" / "papers" / Path(link).stem).is_dir()
            if not link.startswith("http") and not made:
                assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_every_picture_is_shown_and_small():
    shown = "".join(document.read_text() for document in (ROOT / "README.md", *pages()))
    for picture in (ROOT / "docs" / "screenshots").glob("*.png"):
        assert picture.name in shown and picture.stat().st_size < 250_000, picture.name


def test_contributing_names_files_that_there_are():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| (.+) \| .+ \| `([\w/.]+)`(?: in it)? \|$", text, re.MULTILINE)
    assert len(rows) >= 12
    for what, example in rows:
        assert "/" not in example or (ROOT / example).exists(), f"{what}: {example}"


def test_the_readme_lists_every_file_of_the_top_level_layout():
    text = (ROOT / "README.md").read_text()
    for name in re.findall(r"(\w+\.py)", text):
        assert list(ROOT.glob(f"**/{name}")), f"README names {name}, which does not exist"


def test_every_quantity_of_a_record_is_explained():
    text = (ROOT / "docs" / "quantities.md").read_text()
    result = run(RunConfig(task="circles", width=10, dynamics="gd", steps=20))
    for key in (*result.series, *result.sparse):
        leaf = key.split(".")[-1]
        assert leaf in text or key in text, f"docs/quantities.md does not explain {key}"
