"""Small tables in markdown: formulas and marks in their cells are drawn."""

from collections.abc import Sequence

import streamlit as st


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str = "") -> None:
    """Draw a table; align: a letter a column, r for numbers, all to the left when empty."""
    rules = ["---:" if side == "r" else "---" for side in align or "l" * len(head)]
    lines = (" | ".join(cells) for cells in (head, rules, *rows))
    st.markdown("\n".join(f"| {line} |" for line in lines))


def cell(text: str) -> str:
    """Return the text as it stands in a cell: its bars are no borders."""
    return text.replace("|", "\\|").replace("~", "\\~")
