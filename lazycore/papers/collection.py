"""What the papers' folders hold: `claims`, `theorems`, `figures`, found by looking, and by names
that no two papers share."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

from lazycore.papers.card import cards, folders, paper_of

T = TypeVar("T", bound=Any)


@cache
def files(kind: str) -> dict[str, tuple[ModuleType, ...]]:
    """Return by the papers' folders the files that they hold of this kind, in alphabetical order.

    Files whose names start with an underscore are what their neighbours share.
    """
    found = {}
    for name, folder in folders().items():
        if kind in (m.name for m in pkgutil.iter_modules(folder.__path__)):
            shelf = importlib.import_module(f"{folder.__name__}.{kind}")
            names = sorted(m.name for m in pkgutil.iter_modules(shelf.__path__))
            found[name] = tuple(
                importlib.import_module(f"{shelf.__name__}.{file}")
                for file in names
                if not file.startswith("_")
            )
    return found


@cache
def called(file: str) -> dict[str, tuple[ModuleType, ...]]:
    """Return by the papers' folders the files of this name that lie anywhere in them."""
    return {
        name: tuple(
            importlib.import_module(module.name)
            for module in pkgutil.walk_packages(folder.__path__, f"{folder.__name__}.")
            if module.name.endswith(f".{file}")
        )
        for name, folder in folders().items()
    }


def held(kind: str, holder: str) -> Iterator[Any]:
    """Yield what the files of this kind hold under the name `holder`, each with its paper, and
    called as it is asked for (`qualified`)."""
    for folder, modules in files(kind).items():
        paper = paper_of(folder)
        for module in modules:
            for one in _several(getattr(module, holder)):
                yield replace(one, paper=paper, name=qualified(paper, kind, one.name))


def qualified(paper: str, kind: str, name: str) -> str:
    """Return what is asked for: the name alone where it is our own, or of a kind that is bare on
    the paper's card; else `paper/name`."""
    return name if not paper or kind in cards()[paper].bare else f"{paper}/{name}"


def oldest_first(found: Iterable[T]) -> list[T]:
    """Return what papers hold with the oldest paper's first, else in the order in which it is."""
    papers = [*cards(), ""]
    return sorted(found, key=lambda one: papers.index(one.paper))


def _several(one: Any) -> tuple[Any, ...]:
    return one if isinstance(one, tuple) else (one,)
