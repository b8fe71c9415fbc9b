"""The powers on the Feature-or-lazy page, each with its interval beside the theory's value."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from lazycore.figures.phasecounts import early
from lazycore.figures.phasewidths import said_of
from lazycore.papers.feature_lazy.phases import Cube, collapse, fluctuations, gap
from lazycore.papers.feature_lazy.phases import crossover as at
from lazycore.papers.feature_lazy.phases.collapse import Exponent
from lazycore.theory.bootstrap import Interval
from pages.phases import job
from pages.phases.controls import Choice
from pages.widgets.tables import show_table

HEAD = ("power", "side", "measured (95 %)", "theory", "over")


def show_powers(choice: Choice, cubes: Sequence[Cube]) -> None:
    """Draw the powers of the chosen sweep, and those of the kernel's change by depth."""
    st.header("Powers")
    show_table(HEAD, of_sweep(choice, cubes), align="llrrl")
    by_depth = job.of_depths(choice.config)
    if by_depth:
        st.markdown("**The kernel's change by depth**")
        rows = [row for depth, cube in by_depth.items() for row in _of_depth(depth, cube)]
        show_table(("depth", *HEAD[1:]), rows, align="llrrl")
    st.caption(
        "The intervals are over initial weights. The theory's powers are those of limits: what "
        "finite h, √hα and tolerance are off by is not in them. Feature side: a = 2L/(L + 1), "
        "from the argument that weights which must grow do so in proportion; lazy side: 1/√hα, "
        "as the weights move by 1/α; δF ~ h^(−1/2) on both."
    )
    job.ask_button("Sweep the other depths", job.DEPTHS, job.missing_depths(choice.config))


def of_sweep(choice: Choice, cubes: Sequence[Cube]) -> list[tuple[str, ...]]:
    """Return the rows of α* and Var against h, and of t_{L/2} against √hα."""
    cube = cubes[0]
    widths = f"h = {cube.widths[0]:g} to {cube.widths[-1]:g}"
    rows = [_row("α\\* in h", "border", at.border(cubes).exponent, at.EXPONENT, widths, cube)]
    found = fluctuations.variances(cube)
    for side, scale in (("feature", choice.feature), ("lazy", choice.lazy)):
        i = gap.nearest(cube.scales, scale)
        where = f"{side}, √hα = {cube.scales[i]:g}"
        power = found.exponents[i] if found else None
        here = np.arange(len(cube.scales)) == i
        rows.append(_row("Var in h", where, power, fluctuations.EXPONENT, widths, cube, here))
    return rows + [
        _of_scales("t_L/2 / (√hα) in √hα", one, cube) for one in collapse.half_time_exponents(cube)
    ]


def _of_depth(depth: int, cube: Cube | None) -> list[tuple[str, ...]]:
    found = collapse.kernel_exponents(cube) if cube is not None else []
    if cube is None or not found:
        return [(f"L = {depth}", "–", "not computed yet", "–", "–")]
    return [_of_scales(f"L = {depth}", one, cube) for one in found]


def _of_scales(name: str, one: Exponent, cube: Cube) -> tuple[str, ...]:
    over = f"√hα = {one.scales[0]:g} to {one.scales[-1]:g}"
    inside = np.isin(cube.scales, one.scales)
    return _row(name, one.side, one.measured, one.predicted, over, cube, inside)


def _row(
    name: str,
    side: str,
    power: Interval | None,
    theory: float | None,
    over: str,
    cube: Cube,
    inside: np.ndarray | None = None,
) -> tuple[str, ...]:
    """Return a row; inside: the √hα of which runs that ended early are counted, all if left out."""
    value = "–" if theory is None else f"{theory:.3f}".replace("-", "−")
    seeds = f", N = {power.seeds}" if power else ""
    measured = said_of(power) if power else "too few runs"
    return name, side, measured, value, f"{over}{seeds}{early(cube, inside)}"
