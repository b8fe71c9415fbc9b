"""From a sweep to Compare: its groups of seeds, those that are chosen in one click."""

import streamlit as st

from lazycore.results.cellgroups import label_of, token
from lazycore.results.groups import MOST_GROUPS
from lazycore.results.plane import Cell, Plane
from lazycore.results.sweep import SweepResult
from pages.widgets.comparelink import compare_link
from pages.widgets.resources import store
from pages.widgets.sweepview import View

LOOKED_AT = 5
"""Runs that are looked for in the store: one is there, or the sweep came without its runs."""

WITHOUT_RUNS = (
    "This table came without its runs, so Compare has no curves of them: click a cell, open a run "
    "of it in Explore and press Run, and it can be compared."
)


def name_of(table: SweepResult, view: View, cell: Cell) -> str:
    """Return the name that a link has for the runs of a cell of the plane."""
    at = {view.x: cell.x} | ({view.y: cell.y} if view.y else {}) | view.fixed
    return token(table.digest, {name: at[name] for name in table.config.axes if name in at})


def show_groups(table: SweepResult, plane: Plane, view: View) -> None:
    """Draw the choice among the groups of seeds on the plane, all of them where they are few."""
    groups = {name_of(table, view, cell): cell for cell in plane.cells()}
    if len(groups) < 2:
        return
    if not _has_runs(plane):
        if table.done:
            st.caption(WITHOUT_RUNS)
        return
    labels = {name: _label(view, cell) for name, cell in groups.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", key="groups"):
        chosen = st.multiselect(
            f"Groups to compare, at most {MOST_GROUPS}",
            list(labels),
            default=_spread(list(labels)),
            format_func=lambda name: labels.get(name) or str(name),
            key=f"groups_{table.digest}_{view.x}_{view.y}_{view.fixed}",
            max_selections=MOST_GROUPS,
            placeholder="choose groups",
        )
        if chosen:
            said = f"Compare these {len(chosen)} groups" if len(chosen) > 1 else "Compare its runs"
            compare_link(list(chosen), said)


def _has_runs(plane: Plane) -> bool:
    ended = (run.digest for cell in plane.cells() for run in cell.runs if run.status != "missing")
    return any(digest in store() for digest, _ in zip(ended, range(LOOKED_AT), strict=False))


def _label(view: View, cell: Cell) -> str:
    return label_of({view.x: cell.x} | ({view.y: cell.y} if view.y else {}), len(cell.runs))


def _spread(names: list[str]) -> list[str]:
    """Return all of these, or as many as are compared at most, evenly spread."""
    count = min(MOST_GROUPS, len(names))
    return [names[round(i * (len(names) - 1) / max(count - 1, 1))] for i in range(count)]
