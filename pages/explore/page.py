"""Explore: pick a run, train it and its linearisation in the background, see whether it is lazy."""

import streamlit as st

from lazycore.errors import LazyLabError
from pages.explore import controls, presets, view
from pages.explore.siblings import siblings
from pages.widgets import job
from pages.widgets.exponent import show_exponent
from pages.widgets.resources import banner, partial
from pages.widgets.sentences import said_in_a_sentence, show_link_error


def board(digest: str, first: str, log: bool, was_active: bool) -> None:
    """Draw the run as far as it is; while it trains, this alone is drawn again and again."""
    with said_in_a_sentence():
        result, current = job.look(digest)
        if was_active and not job.is_active(current):
            st.rerun()
        shown = result or partial(digest, job.is_active(current))
        before = None if view.has_begun(shown) else view.run_before(digest)
        with st.container():  # always there, so that what is below it stays the same element
            job.show_state(current, result)
            if before is not None:
                view.say_faded(before[0])
        if before is not None:
            view.show_faded(*before, log)
        elif shown is not None:
            view.show_run(shown, first, log)


st.title("Explore")
banner()
presets.preset_row()
show_link_error(controls.link_error())
try:
    config = controls.chosen()
except LazyLabError:
    if (before := view.run_before("")) is not None:
        view.say_faded(before[0])
        view.show_faded(*before, controls.log_axes())
    raise
job.act(config, on_change=bool(st.session_state.get("auto")))
active = job.toolbar(config)
polling = job.POLL_SECONDS if active else None
first = presets.first_figure()
st.fragment(board, run_every=polling)(config.digest, first, controls.log_axes(), active)
show_exponent(siblings(config), key="explore")
