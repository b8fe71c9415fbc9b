"""Sweep: one quantity over a plane of two fields, filling while it computes; its exponents."""

import streamlit as st

from lazycore.config.sweep import SweepConfig
from pages.sweep import controls, presets
from pages.sweep.plane import show_plane, take_table_away
from pages.widgets import sweepjob
from pages.widgets.job import is_active
from pages.widgets.resources import banner
from pages.widgets.sentences import said_in_a_sentence
from pages.widgets.sweepview import View, chosen_view


def board(config: SweepConfig, view: View, was_active: bool) -> None:
    """Draw the sweep as far as it is; while it computes, this alone is drawn again and again."""
    with said_in_a_sentence():
        table, current = sweepjob.look(config)
        if was_active and not is_active(current):
            st.rerun()
        whole = table is not None
        table = table or sweepjob.so_far(config)
        with st.container():  # always there, so that what is below it stays the same element
            sweepjob.show_state(current, table, whole)
        show_plane(table, view)
        take_table_away(table)


st.title("Sweep")
banner()
presets.preset_row()
config = controls.chosen()
view = chosen_view(config)
sweepjob.act(config)
active = sweepjob.toolbar(config, view)
polling = sweepjob.poll_seconds(config) if active else None
st.fragment(board, run_every=polling)(config, view, active)
