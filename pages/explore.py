"""Explore: pick a run, train it and its linearisation in the background, see whether it is lazy."""

import streamlit as st

from pages.widgets import controls, job, presets
from pages.widgets.exponent import show_exponent
from pages.widgets.panels import show_panels
from pages.widgets.resources import banner, partial
from pages.widgets.sentences import said_in_a_sentence, show_link_error
from pages.widgets.siblings import siblings
from pages.widgets.summary import show_summary


def board(digest: str, log: bool, was_active: bool) -> None:
    """Draw the run as far as it is; while it trains, this alone is drawn again and again."""
    with said_in_a_sentence():
        result, current = job.look(digest)
        if was_active and not job.is_active(current):
            st.rerun()
        with st.container():  # always there, so that what is below it stays the same element
            job.show_state(current, result)
        result = result or partial(digest, job.is_active(current))
        if result is not None:
            show_summary(result)
            show_panels(result, "run", log)


st.title("Explore")
banner()
presets.preset_row()
show_link_error(controls.link_error())
config = controls.chosen()
job.act(config, on_change=bool(st.session_state.get("auto")))
active = job.toolbar(config)
polling = job.POLL_SECONDS if active else None
st.fragment(board, run_every=polling)(config.digest, controls.log_axes(), active)
show_exponent(siblings(config), key="explore")
