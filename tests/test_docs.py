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

import lazycore
from lazycore import RunConfig, run

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


def test_the_python_and_the_shell_of_the_readme_run(tmp_path):
    text = (ROOT / "README.md").read_text()
    script = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    line = next(line for line in text.splitlines() if " -m lazycore run " in line)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    for arguments in (["-c", script], line.split()[1:]):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"mine.npz", "sine.npz"}


def test_every_relative_link_and_picture_of_the_documents_exists():
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for link in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if not link.startswith("http"):
                assert (document.parent / link).exists(), f"{document.name}: {link}"


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


def test_every_package_the_program_imports_is_pinned():
    pins = (ROOT / "requirements.txt").read_text()
    wanted = ("dbos", "diskcache", "numpy", "pandas", "plotly", "streamlit", "torch")
    for package in (*wanted, "threadpoolctl", "tqdm"):
        assert re.search(rf"^{package}==[\d.]+$", pins, re.MULTILINE), package
