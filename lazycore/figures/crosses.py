"""Runs that ended early: how a caption counts them, and the crosses where they are not drawn.

A run that failed, diverged or ended on its budget is in no mean and on no line.
"""

from collections.abc import Sequence

import numpy as np

from lazycore.figures import export, style
from lazycore.figures.style import Trace

RIM = "rgba(255,255,255,0.85)"
"""Keeps lines and marks apart from whatever colour they stand on."""
DECORATION = {"showlegend": False, "meta": export.DECORATION}


def said(count: int) -> str:
    """Return ", 3 runs ended early" for the end of a caption, empty for none."""
    return f", {_runs(count)}" if count else ""


def at(x: Sequence[float], y: Sequence[float], count: int) -> list[Trace]:
    """Return a cross at each of these places, named by how many runs ended early at them."""
    if not len(x):
        return []
    common = {
        "type": "scatter",
        "mode": "markers",
        "x": style.numbers(x),
        "y": style.numbers(y),
        "hoverinfo": "skip",
    }

    def marker(color: str, width: float) -> dict:
        return {"symbol": "x-thin-open", "size": 11, "color": color, "line": {"width": width}}

    name = _runs(count)
    return [
        common | {"name": f"{name}, rim", "marker": marker(RIM, 6)} | DECORATION,
        common | {"name": name, "marker": marker(style.VERMILLION, 3)},
    ]


def on_curves(x: np.ndarray, middle: np.ndarray, early: np.ndarray) -> list[Trace]:
    """Return crosses on curves, where runs ended early: on the floor where no other run is.

    x, middle, early: of the same shape, places, values (NaN for none) and runs that ended early.
    """
    wrong, known = early > 0, middle[np.isfinite(middle)]
    if not known.size:
        return []
    y = np.where(np.isfinite(middle), middle, known.min())
    return at(x[wrong].tolist(), y[wrong].tolist(), int(early.sum()))


def _runs(count: int) -> str:
    return f"{count} run{'s' * (count != 1)} ended early"
