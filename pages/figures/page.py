"""Figures: every figure of the paper, what is computed here over what was reported."""

import streamlit as st

from pages.figures import controls
from pages.figures.controls import Choice
from pages.figures.view import show_caption, show_figure, show_sources
from pages.widgets import jobs
from pages.widgets.resources import banner
from pages.widgets.sentences import said_in_a_sentence, show_link_error


def board(choice: Choice, was_active: bool) -> None:
    """Draw the figure as far as it is; while it computes, this alone is drawn again and again."""
    with said_in_a_sentence():
        parts = jobs.look(choice.jobs)
        if was_active and not any(part.active for part in parts):
            st.rerun()
        with st.container():  # always there, so that what is below it stays the same element
            if parts:
                jobs.show_state(parts, "Compute", controls.MISSING)
        show_figure(choice, parts)


choice = controls.chosen()
st.title(choice.figure.title)
banner()
show_link_error(controls.link_error())
show_caption(choice.figure)
show_sources(choice)
jobs.act({controls.COMPUTE: lambda: choice.jobs}, lambda: choice.jobs)
parts = jobs.look(choice.jobs)
controls.toolbar(parts)
active = any(part.active for part in parts)
st.fragment(board, run_every=jobs.poll_seconds(parts))(choice, active)
