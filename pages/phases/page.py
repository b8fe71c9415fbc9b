"""Feature or lazy: the phases over width and α, what collapses onto √hα, what fluctuates."""

import streamlit as st

from pages.phases import controls, job
from pages.phases.controls import Choice
from pages.phases.view import show_phases
from pages.widgets import jobs
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


st.title("Feature or lazy")
banner()
show_link_error(controls.link_error())
st.markdown(
    "A network of width h learns **features** where √h α is small and stays **lazy** where it is "
    "large; the two phases meet at α\\* ~ h^(−1/2) "
    "([Geiger et al. 2020](https://arxiv.org/abs/1906.08034))."
)
choice = controls.chosen()
job.act(choice)
found = job.parts(choice)
job.toolbar(choice, found)
active = any(part.active for part in found)
st.fragment(board, run_every=jobs.poll_seconds(found))(choice, active)
