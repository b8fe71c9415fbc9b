"""Theorems: a statement, its hypotheses on a problem, and what is measured under its bound."""

import streamlit as st

from pages.theorems import controls, runs, view
from pages.theorems.controls import Choice
from pages.widgets import job
from pages.widgets.resources import banner
from pages.widgets.sentences import said_in_a_sentence, show_link_error


def board(choice: Choice, was_active: bool) -> None:
    """Draw what is measured; while anything computes, this alone is drawn again and again."""
    with said_in_a_sentence():
        if was_active and not runs.is_active(choice):
            st.rerun()
        result, current = job.look(choice.config.digest)
        with st.container():  # always there, so that what is below it stays the same element
            job.show_state(current, result)
        if result is not None:
            view.show_hypotheses(choice.theorem, result)
            others = runs.companions(choice, result)
            view.show_lines(choice, result, others)
            view.show_rates(choice, runs.found(choice))
        view.show_sweep(choice)


theorem = controls.statement()
st.title(theorem.title)
banner()
show_link_error(controls.link_error())
view.show_statement(theorem)
choice = controls.chosen()
runs.act(choice)
runs.toolbar(choice)
view.explore_link(choice)
active = runs.is_active(choice)
st.fragment(board, run_every=job.POLL_SECONDS if active else None)(choice, active)
