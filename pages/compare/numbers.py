"""The table of final numbers on the page, and what can be copied or taken away of it."""

from collections.abc import Sequence

import streamlit as st

from lazycore.figures import table
from lazycore.results.groups import Group
from pages.widgets.sentences import plain

INDENT = "\u2003"


def show_numbers(groups: Sequence[Group]) -> None:
    """Draw the final numbers of these groups, as CSV and as LaTeX too."""
    found = table.table(groups)
    st.header("Final numbers")
    st.markdown(_markdown(found))
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "CSV",
            lambda: table.csv(found),
            file_name="compare.csv",
            mime="text/csv",
            type="tertiary",
            key="numbers_csv",
            on_click="ignore",
        )
        with st.popover("Copy CSV", type="tertiary", key="copy_csv"):
            st.code(table.csv(found), language=None)
        with st.popover("Copy LaTeX", type="tertiary", key="copy_latex"):
            st.caption(r"Needs `\usepackage{booktabs}`.")
            st.code(table.latex(found), language="latex")


def _markdown(found: table.Table) -> str:
    """Return the table in markdown, the quantities down and the runs across."""
    rows = [["verdict", *(f"**{verdict}**" for verdict in found.verdicts)]]
    for row in found.rows:
        rows.append([f"{row.meaning} ({row.unit})", *(entry.text for entry in row.entries)])
        if found.has_seeds:
            rows.append(
                [f"{INDENT}mean ± sd (standard error)", *(entry.average for entry in row.entries)]
            )
    if found.has_seeds:
        rows.append(["seeds N: median (10 to 90 %) from 3 on", *map(str, found.counts)])
    head = ["quantity", *map(plain, found.labels)]
    lines = [head, ["---", *["---:"] * len(found.labels)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
