"""What the papers' folders hold: `claims`, `theorems` and `figures`, found by looking."""

import importlib
import pkgutil
from functools import cache
from types import ModuleType

from lazycore import papers


@cache
def papers_that_hold(kind: str) -> dict[str, tuple[ModuleType, ...]]:
    """Return by paper the files of its folder of this kind, in alphabetical order.

    Files whose names start with an underscore are what their neighbours share.
    """
    found = {}
    for paper in sorted(m.name for m in pkgutil.iter_modules(papers.__path__) if m.ispkg):
        folder = importlib.import_module(f"{papers.__name__}.{paper}")
        if kind in (m.name for m in pkgutil.iter_modules(folder.__path__)):
            shelf = importlib.import_module(f"{folder.__name__}.{kind}")
            names = sorted(m.name for m in pkgutil.iter_modules(shelf.__path__))
            found[paper] = tuple(
                importlib.import_module(f"{shelf.__name__}.{name}")
                for name in names
                if not name.startswith("_")
            )
    return found


def files(kind: str) -> list[ModuleType]:
    """Return the files of this kind of all papers."""
    return [file for one in papers_that_hold(kind).values() for file in one]
