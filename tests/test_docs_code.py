"""Every code block of the documents runs, and prints what it is said to print."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documents import DOCS, ROOT, Block, blocks, name_of, pages

from lazycore.cli import main

NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
END = "\x1e"
"""Printed behind each block."""
SLOW = {"howto/sweep"}
TREE = "howto/extend"
"""The document whose blocks are files of the tree."""
OWN = {
    "iris.csv": "length,width,species\n"
    + "".join(f"{i},{i % 7},{'ab'[i % 2]}\n" for i in range(40)),
    "wine.csv": "price,id,date,acid\n"
    + "".join(f"{i * 1.5},{i},2026-01-02,{i % 5}\n" for i in range(40)),
    "example.csv": "a,b,target\n" + "".join(f"{i},{i * i % 11},{0.3 * i}\n" for i in range(30)),
}
"""Files that the how-to on data has lying there."""


def environment(folder: Path, tree: Path = ROOT) -> dict[str, str]:
    """Return where a block runs: this Python, this tree, nothing of the person's own folders."""
    own = folder / "data" / "own"
    own.mkdir(parents=True, exist_ok=True)
    for name, content in OWN.items():
        (own / name).write_text(content)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    places = {"LAZYLAB_DATA": str(folder / "data"), "LAZYLAB_CACHE": str(folder / "cache")}
    return os.environ | {"PATH": path, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"} | places


def call(command: list[str], folder: Path, env: dict[str, str]) -> str:
    """Return what a command prints; it must end well."""
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{shlex.join(command)[-2000:]}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def alike(said: str, printed: str) -> bool:
    """Whether two texts have the same words, and numbers that agree to 5 %.

    A number may be another in its last digits on another machine; a word may not.
    """
    words = [" ".join(NUMBER.sub("#", text).split()) for text in (said, printed)]
    numbers = [[float(n.replace("−", "-")) for n in NUMBER.findall(t)] for t in (said, printed)]
    return words[0] == words[1] and numbers[0] == pytest.approx(numbers[1], rel=0.05, abs=1e-5)


def documents_with_code() -> list:
    found = [page for page in pages() if {b.language for b in blocks(page)} & {"python", "sh"}]
    slow = {page: [pytest.mark.slow] if name_of(page) in SLOW else [] for page in found}
    return [pytest.param(p, marks=slow[p], id=name_of(p)) for p in found if name_of(p) != TREE]


@pytest.mark.parametrize("page", documents_with_code())
def test_the_code_of_a_document_runs_and_prints_what_it_says(page, tmp_path):
    """The Python of a document in one process, then its lines of shell."""
    env, code = environment(tmp_path), [b for b in blocks(page) if b.language == "python"]
    script = "".join(f"{block.text}\nprint({END!r})\n" for block in code)
    printed = call([sys.executable, "-c", script], tmp_path, env).split(END)
    for block, text in zip(code, printed, strict=False):
        assert block.prints is None or alike(block.prints, text), f"{block.text}\n{text}"
    for block in blocks(page):
        if block.language == "sh":
            text = call(["bash", "-ec", block.text], tmp_path, env)
            assert block.prints is None or alike(block.prints, text), text


def file_of(block: Block) -> Path:
    """Return the file that a block of the how-to on additions is: its first line names it."""
    found = re.match(r"# ((?:lazycore|pages)/[\w/]+\.py)\n", block.text)
    assert found, block.text
    return Path(found.group(1))


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A copy of what additions are made to."""
    place = tmp_path_factory.mktemp("tree")
    for part in ("lazycore", "pages"):
        shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "tests").mkdir()
    return place


def additions() -> list:
    text = (DOCS / f"{TREE}.md").read_text()
    parts = {p.split("\n")[0]: p for p in re.split(r"^## ", text, flags=re.MULTILINE)[1:]}
    return [pytest.param(p, id=n) for n, p in parts.items()]


@pytest.mark.parametrize("part", additions())
def test_an_addition_works_as_its_how_to_says(part, tree, tmp_path):
    page = tmp_path / "part.md"
    page.write_text(part)
    for block in blocks(page):
        if block.language == "python":
            path = tree / file_of(block)
            assert not path.exists(), f"{path} is in the tree already"
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.text.split("\n", 1)[1])
        else:
            call(["bash", "-ec", block.text], tmp_path, environment(tmp_path, tree))


def test_the_languages_of_blocks_are_known():
    """What is neither run nor compared is a `console` block, whose commands are looked at."""
    for page in pages():
        found = {block.language for block in blocks(page)}
        assert found <= {"python", "sh", "console"}, f"{page}: {found}"


def test_a_command_that_is_only_shown_exists():
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for page in pages():
        for block in blocks(page):
            if block.language == "console":
                for line in block.text.splitlines():
                    assert is_known(shlex.split(line, comments=True), targets), f"{page}: {line}"


def is_known(words: list[str], targets: list[str]) -> bool:
    """Whether a command is one of pip's, a target of make, or one of ours that says its help."""
    if words[0] in ("pip", "make"):
        return words[0] == "pip" or set(words[1:]) <= set(targets)
    ours = words[1:] if words[0] == "lazylab" else words[3:]
    if ours[:1] == ["app"]:
        return True
    try:
        main([ours[0], "--help"])
    except SystemExit as end:
        return end.code == 0
    return False


def test_the_comparison_of_what_is_printed_sees_a_wrong_word_and_a_wrong_number():
    assert alike("gap 1.60e-03, lazy", "gap  1.61e-03, lazy\n")
    assert not alike("gap 1.60e-03, lazy", "gap 1.60e-03, rich")
    assert not alike("gap 1.60e-03, lazy", "gap 1.80e-03, lazy")
    assert not alike("1 2", "1")
