"""What `lazycore` exports says of itself: equation, shapes, units, errors, source, an example.

The rule is mechanical, and `lacking` is the rule. Every public name has a docstring; exported
functions and classes have more than a line, and an example that runs. A function names each of its
parameters and each error of ours that its body raises; one that returns arrays says their shape.
What computes says the equation, the units, and whose they are. Errors say themselves in a line.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import lazycore
from lazycore import errors

COMPUTES = ("compare", "fine_tune", "linearize", "run", "tangent_kernel")
"""Exports that have an equation of their own."""
HOLDS = ("RunResult", "Snapshot", "SweepResult")
"""Exports that hold arrays."""
NO_EXAMPLE = {
    "TangentModel": "made by linearize, which has one",
    "fine_tune": "a call of compare, which has one",
    "train": "the snapshots of run, which has one",
    "Snapshot": "made by train",
    "Comparisons": "made by compare_over, which has one",
    "SweepResult": "made by sweep, which has one",
    "RunResult": "made by run, which has one",
}
ERRORS = {name for name, value in vars(errors).items() if inspect.isclass(value)}
EQUATION = re.compile(r"^ {4,}\S.* = .*$|^ {4,}\S.*(,|beside).* = .*$", re.MULTILINE)
SHAPE = re.compile(r"\((\w+'?|\w+[·,] ?\w+.*?|…), ?.*?\)|\(\w+,?\)|shape")
SOURCE = re.compile(r"arXiv|Theorem|Proposition")
UNIT = re.compile(r"\bunits?\b|flow time|dtype|\bshare\b")
ARRAYS = (np.ndarray, torch.Tensor)


def public() -> Iterator[tuple[str, Any]]:
    """Yield every exported name, and the public members that its class defines."""
    for name in lazycore.__all__:
        thing = getattr(lazycore, name)
        yield name, thing
        if inspect.isclass(thing) and not issubclass(thing, errors.LazyLabError):
            for member, value in vars(thing).items():
                if member[0] != "_" and is_described(value):
                    yield f"{name}.{member}", value


def is_described(value: Any) -> bool:
    kinds = (property, classmethod, staticmethod)
    return isinstance(value, kinds) or inspect.isfunction(value) or hasattr(value, "attrname")


def function_of(thing: Any) -> Any:
    """Return the function behind a method, a property or a cached one; None of a class."""
    for name in ("fget", "func", "__func__"):
        thing = getattr(thing, name, None) or thing
    return thing if inspect.isfunction(thing) else None


def raised(function: Any) -> set[str]:
    """Return the errors of ours that the body of a function raises itself."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    calls = [n.exc.func for n in ast.walk(tree) if isinstance(n, ast.Raise) and is_call(n.exc)]
    return {call.id for call in calls if isinstance(call, ast.Name)} & ERRORS


def is_call(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Call)


def lacking(name: str, thing: Any) -> list[str]:
    """Return what the docstring of a public name lacks."""
    doc = inspect.getdoc(thing) or ""
    if not doc.strip():
        return ["a docstring"]
    if inspect.isclass(thing) and issubclass(thing, errors.LazyLabError):
        return []
    found, exported, function = [], "." not in name, function_of(thing)
    if exported and len(doc.splitlines()) < 2:
        found.append("more than one line")
    if exported and ">>>" not in doc and name not in NO_EXAMPLE:
        found.append("an example")
    if name in COMPUTES:
        rules = (("an equation", EQUATION), ("a source", SOURCE), ("units", UNIT))
        found += [what for what, pattern in rules if not pattern.search(doc)]
    if name in (*COMPUTES, *HOLDS) and not SHAPE.search(doc):
        found.append("shapes")
    if function is not None:
        given = [p for p in inspect.signature(function).parameters if p not in ("self", "cls")]
        found += [f"parameter {p}" for p in given if not re.search(rf"\b{p}\b", doc)]
        found += [f"error {e}" for e in sorted(raised(function)) if e not in doc]
        returned = str(function.__annotations__.get("return", ""))
        if re.search(r"ndarray|Tensor\b", returned) and not SHAPE.search(doc):
            found.append("shapes")
    return found


def test_what_is_exported_says_what_a_person_needs():
    found = {name: lacks for name, thing in public() if (lacks := lacking(name, thing))}
    assert found == {}


def test_every_reason_for_no_example_is_of_an_export_without_one():
    for name in NO_EXAMPLE:
        assert ">>>" not in (inspect.getdoc(getattr(lazycore, name)) or "")


def _bare(x: int) -> np.ndarray:
    """Return something."""
    if x:
        raise errors.ConfigError("no")
    raise ConfigError("no")


ConfigError = errors.ConfigError


@pytest.mark.parametrize(
    ("name", "thing", "lacks"),
    [
        ("run", _bare, ["more than one line", "an example", "an equation", "a source", "units"]),
        ("X.bare", _bare, ["parameter x", "error ConfigError", "shapes"]),
        ("X.nothing", lambda: None, ["a docstring"]),
    ],
)
def test_the_rule_sees_what_it_is_for(name, thing, lacks):
    assert set(lacks) <= set(lacking(name, thing))
