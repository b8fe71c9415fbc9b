"""Feature or lazy: the phases over width and α, what collapses onto √hα, what fluctuates."""

import streamlit as st

from lazycore.papers.feature_lazy import CARD
from pages.phases import controls, job
from pages.phases.controls import Choice
from pages.phases.view import show_phases
from pages.widgets import jobs
from pages.widgets.paper import cited
from pages.widgets.resources import banner
from pages.widgets.sentences import said_in_a_sentence, show_link_error


def board(choice: Choice, was_active: bool) -> None:
    """Draw what is known; while anything computes, this alone is drawn again and again."""
    with said_in_a_sentence():
        found = job.parts(choice)
        if was_active and not any(part.active for part in found):
            st.rerun()
        with st.container():  # always there, so that what is below it stays the same element
            job.show_state(choice, found)
        show_phases(choice)


st.title(CARD.heading)
banner()
show_link_error(controls.link_error())
st.markdown(f"{CARD.said} ({cited(CARD)})")
choice = controls.chosen()
job.act(choice)
found = job.parts(choice)
job.toolbar(choice, found)
active = any(part.active for part in found)
st.fragment(board, run_every=jobs.poll_seconds(found))(choice, active)
