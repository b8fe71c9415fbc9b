"""Sweep: one quantity over a plane of two fields, filling while it computes; its exponents."""

import streamlit as st

from lazycore.config.sweep import SweepConfig
from lazycore.results.sweep import SweepResult
from pages.sweep import controls, presets
from pages.sweep.plane import show_plane, take_table_away
from pages.widgets import jobs
from pages.widgets.resources import banner, table_so_far
from pages.widgets.sentences import said_in_a_sentence
from pages.widgets.sweepview import View, chosen_view


def board(config: SweepConfig, view: View, was_active: bool) -> None:
    """Draw the sweep as far as it is; while it computes, this alone is drawn again and again."""
    with said_in_a_sentence():
        part = jobs.look_at(config)
        if was_active and not part.active:
            st.rerun()
        table = part.found if isinstance(part.found, SweepResult) else table_so_far(config)
        with st.container():  # always there, so that what is below it stays the same element
            jobs.show_state([part], controls.label(config))
        show_plane(table, view)
        take_table_away(table)


st.title("Sweep")
banner()
presets.preset_row()
config = controls.chosen()
view = chosen_view(config)
jobs.act({"sweep": lambda: [config]}, lambda: [config])
part = jobs.look_at(config)
controls.toolbar(part, config, view)
st.fragment(board, run_every=jobs.poll_seconds([part]))(config, view, part.active)
