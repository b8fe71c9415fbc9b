"""Over how many runs a phase figure is, said in its caption, and crosses where runs are not there.

A run that failed, diverged or ended on its budget is in no mean: each figure says how many there
are, and marks each place that has one.
"""

from collections.abc import Sequence

import numpy as np

from lazycore.figures import export, heatmap, style
from lazycore.figures.style import Trace
from lazycore.phases import Cube

DECORATION = {"showlegend": False, "meta": export.DECORATION}


def number(cube: Cube) -> str:
    """Return over how many seeds a place is, "N = 8", or "N = 6 to 8" where runs ended early."""
    there = (cube.status != "missing").any(-1)
    return between((cube.status == "done").sum(-1)[there], len(cube.seeds))


def between(counts: np.ndarray, usual: int) -> str:
    """Return "N = " the least of these counts to the largest; `usual` where there are none."""
    low, high = (int(counts.min()), int(counts.max())) if counts.size else (usual, usual)
    return f"N = {high}" if low == high else f"N = {low} to {high}"


def early(cube: Cube, inside: np.ndarray | None = None) -> str:
    """Return ", 3 runs ended early", empty where none did; `inside`: of these √hα only, (A,)."""
    found = cube.ended_early()
    count = int((found if inside is None else found[:, inside]).sum())
    return f", {_runs(count)}" if count else ""


def seeds_said(cube: Cube) -> str:
    """Return over how many seeds the averages are, and how many runs are in none."""
    said, wrong = number(cube), early(cube)
    if wrong:  # shorter, for it has to fit
        return f"{said} seeds{wrong}"
    return "one seed" if said == "N = 1" else f"mean over {said} seeds"


def counted(cube: Cube) -> str:
    """Return the sentence that says how many runs are there and what went wrong with others."""
    counts = cube.counts()
    parts = [f"{counts.get('done', 0)} of {cube.status.size} runs reached their end"]
    said = {
        "failed": "failed",
        "diverged": "diverged",
        "budget": "ended on their budget",
        "missing": "are not there yet",
    }
    parts += [f"{counts[name]} {words}" for name, words in said.items() if name in counts]
    return ", ".join(parts) + "."


def crosses(x: Sequence[float], y: Sequence[float], count: int) -> list[Trace]:
    """Return a cross at each of these places, named by how many runs ended early at them."""
    if not len(x):
        return []
    common = {
        "type": "scatter",
        "mode": "markers",
        "x": style.numbers(np.asarray(x, float)),
        "y": style.numbers(np.asarray(y, float)),
        "hoverinfo": "skip",
    }

    def marker(color: str, width: float) -> dict:
        return {"symbol": "x-thin-open", "size": 11, "color": color, "line": {"width": width}}

    name = _runs(count)
    return [
        common | {"name": f"{name}, rim", "marker": marker(heatmap.RIM, 6)} | DECORATION,
        common | {"name": name, "marker": marker(style.VERMILLION, 3)},
    ]


def crossed(x: np.ndarray, middle: np.ndarray, early: np.ndarray) -> list[Trace]:
    """Return crosses on curves, where runs ended early: on the floor where no other run is.

    x, middle, early: of the same shape, places, values (NaN for none) and runs that ended early.
    """
    wrong = early > 0
    known = middle[np.isfinite(middle)]
    if not known.size:
        return []
    y = np.where(np.isfinite(middle), middle, known.min())
    return crosses(x[wrong].tolist(), y[wrong].tolist(), int(early.sum()))


def _runs(count: int) -> str:
    return f"{count} run{'s' * (count != 1)} ended early"
