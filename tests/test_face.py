"""The face of the library: what it exports, what importing it costs, and that it is typed."""

import ast
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import lazycore
from lazycore.config import stub

ROOT = Path(__file__).resolve().parent.parent


def test_importing_the_library_imports_neither_numpy_nor_torch():
    code = (
        "import lazycore, sys; dir(lazycore); print({'numpy', 'torch', 'plotly'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("name", lazycore.__all__)
def test_what_is_promised_is_there(name):
    assert getattr(lazycore, name).__name__ == name and name in dir(lazycore)


def test_every_error_is_exported():
    errors = importlib.import_module("lazycore.errors")
    tree = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert tree - {"Any"} <= {*lazycore.__all__}


def test_the_file_of_every_export_is_checked_strictly():
    """pyright's `strict` names exactly these files: those of the exports, and what they need."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pyright"]["strict"]
    homes = {getattr(lazycore, name).__module__.replace(".", "/") for name in lazycore.__all__}
    wanted = {"lazycore/__init__.py", "lazycore/config/run.pyi"}
    for home in homes:
        file = f"{home}/__init__.py" if (ROOT / home).is_dir() else f"{home}.py"
        wanted.add(file)
    assert set(stated) == wanted


def test_the_stub_of_the_config_is_as_it_would_be_written():
    assert stub.STUB.read_text(encoding="utf-8") == stub.text(), "run `make stub`"


def names(tree: ast.Module) -> set[str]:
    """Return what a file defines, and what it passes on (`import x as x`)."""
    defined = {node.name for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return defined | {one.asname for node in imports for one in node.names if one.asname}


def test_the_stub_names_every_field_and_every_public_name():
    tree = ast.parse(stub.text())
    init = next(
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
    )
    named = {argument.arg for argument in init.args.kwonlyargs}
    config = importlib.import_module("lazycore.config.run")
    assert named == {*config.all_fields(), "extra"}
    source = ast.parse(stub.SOURCE.read_text(encoding="utf-8"))
    assert {name for name in names(source) if name[0] != "_"} <= names(tree)


def test_a_stale_stub_is_noticed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(stub, "STUB", tmp_path / "run.pyi")
    assert stub.main(["--check"]) == 1 and "stale" in capsys.readouterr().err
    assert stub.main([]) == 0 and stub.main(["--check"]) == 0
