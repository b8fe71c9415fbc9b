"""Figures: pure functions from results to plain dicts of plotly's schema.

Each file that holds a `PANEL` is one figure of one run; pages show those that a run has the
quantities for, in the order they ask for. One more figure is one more file.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from lazycore.results.run import RunResult


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One figure of one run.

    name: names it in links and files. order: its place on a page. question: what a person
    finds out from it, one sentence. shows: whether a run has what it takes.
    draw: (result, log axes) → figure.
    """

    name: str
    order: int
    question: str
    shows: Callable[[RunResult], bool]
    draw: Callable[[RunResult, bool], dict[str, Any]]


@cache
def panels() -> tuple[Panel, ...]:
    """Return every panel of this folder, in order."""
    names = [m.name for m in pkgutil.iter_modules(__path__)]
    files = [importlib.import_module(f"{__name__}.{name}") for name in names]
    found = [file.PANEL for file in files if hasattr(file, "PANEL")]
    return tuple(sorted(found, key=lambda panel: panel.order))


def panels_of(result: RunResult) -> list[Panel]:
    """Return the panels that this run has the quantities for."""
    return [panel for panel in panels() if panel.shows(result)]
