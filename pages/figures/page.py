"""Figures: every figure of the paper, what is computed here over what was reported."""

import streamlit as st

from pages.figures import controls
from pages.figures.controls import Choice
from pages.figures.view import show_figure, show_sources
from pages.widgets import figurejob
from pages.widgets.resources import banner
from pages.widgets.sentences import said_in_a_sentence, show_link_error


def board(choice: Choice, was_active: bool) -> None:
    """Draw the figure as far as it is; while it computes, this alone is drawn again and again."""
    with said_in_a_sentence():
        parts = figurejob.look(choice.jobs)
        if was_active and not any(part.active for part in parts):
            st.rerun()
        with st.container():  # always there, so that what is below it stays the same element
            if parts:
                figurejob.show_state(parts)
        show_figure(choice, parts)


choice = controls.chosen()
st.title(choice.figure.title)
banner()
show_link_error(controls.link_error())
st.markdown(choice.figure.caption)
show_sources(choice)
active = False
if choice.jobs:
    figurejob.act(choice.jobs)
    active = figurejob.toolbar(choice.jobs)
st.fragment(board, run_every=figurejob.POLL_SECONDS if active else None)(choice, active)
