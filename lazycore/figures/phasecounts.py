"""Over how many runs a phase figure is, as its caption says it."""

import numpy as np

from lazycore.figures import crosses
from lazycore.papers.feature_lazy.phases import Cube


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
    return crosses.said(int((found if inside is None else found[:, inside]).sum()))


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
