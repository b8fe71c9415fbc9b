"""Explore: pick a run, train it and its linearisation in the background, see whether it is lazy."""

import streamlit as st

from lazycore.config.run import RunConfig
from lazycore.errors import LazyLabError
from lazycore.results.run import RunResult
from pages.explore import controls, presets, view
from pages.explore.siblings import siblings
from pages.widgets import jobs
from pages.widgets.exponent import show_exponent
from pages.widgets.resources import banner
from pages.widgets.sentences import said_in_a_sentence, show_link_error


def board(config: RunConfig, first: str, log: bool, was_active: bool) -> None:
    """Draw the run as far as it is; while it trains, this alone is drawn again and again."""
    with said_in_a_sentence():
        part = jobs.look_at(config)
        if was_active and not part.active:
            st.rerun()
        shown = part.found if isinstance(part.found, RunResult) else None
        before = None if view.has_begun(shown) else view.run_before(config.digest)
        with st.container():  # always there, so that what is below it stays the same element
            jobs.show_state([part], "Run")
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
jobs.act({"run": lambda: [config]}, lambda: [config])
if st.session_state.get("auto"):
    jobs.want([config])
part = jobs.look_at(config)
controls.toolbar(part, config)
first = presets.first_figure()
fragment = st.fragment(board, run_every=jobs.poll_seconds([part]))
fragment(config, first, controls.log_axes(), part.active)
show_exponent(siblings(config), key="explore")
