"""From where on a sweep's runs are lazy, in words: along one axis, and for each line of a plane."""

from collections.abc import Sequence

import streamlit as st

from lazycore.results.onset import Onset, number, sentence
from lazycore.results.plane import Axis, Plane
from pages.widgets.tables import cell, show_table

WHY = (
    "Where the later of the two falls through its threshold, the gap (5 % of the way) or the "
    "kernel change (0.1); straight between neighbouring runs in logarithms. From three seeds on "
    "the interval is resampled over them."
)


def show_onset(axis: Axis, found: Onset | None) -> None:
    """Draw from which value of this axis on runs are lazy, as a sentence; nothing for words."""
    if axis.is_number:
        st.markdown(f"**{_plain(sentence(found, axis))}**", help=WHY)


def show_onsets(plane: Plane, rows: Sequence[int], found: Sequence[Onset | None]) -> None:
    """Draw the same of each of these lines of the plane, as a table."""
    known = [(row, onset) for row in rows if (onset := found[row])]
    if not known or plane.y is None:
        return
    head = ["", f"lazy where {plane.x.said}*", "interval", "what decides", "left out"]
    lines = [
        [plane.y.shown(plane.y.values[row]), *_cells(onset), str(onset.left_out or "–")]
        for row, onset in known
    ]
    show_table(
        [_plain(text) for text in head],
        [[_plain(text) for text in line] for line in lines],
        "lrllr",
    )


def _plain(text: str) -> str:
    """Return words as they stand in markdown: the star of α* is none of its own."""
    return cell(text).replace("*", "\\*")


def _cells(found: Onset) -> list[str]:
    if found.is_there:
        sign = "≥" if found.rising else "≤"
        return [f"{sign} {number(found.value)}", found.interval, found.decides]
    return ["nowhere" if found.value > 0.0 else "all over", found.among, "–"]
