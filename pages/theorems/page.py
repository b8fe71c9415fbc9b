"""Theorems: a statement, its hypotheses on a problem, and what is measured under its bound."""

import streamlit as st

from pages.theorems import controls, runs, view
from pages.theorems.controls import Choice
from pages.widgets import jobs
from pages.widgets.resources import banner, finished
from pages.widgets.sentences import said_in_a_sentence, show_link_error


def board(choice: Choice, was_active: bool) -> None:
    """Draw what is measured; while anything computes, this alone is drawn again and again."""
    with said_in_a_sentence():
        parts = runs.parts(choice)
        if was_active and not any(part.active for part in parts):
            st.rerun()
        with st.container():  # always there, so that what is below it stays the same element
            jobs.show_state(parts[:1], "Run")
        result = finished(choice.config.digest)
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
parts = runs.parts(choice)
active = any(part.active for part in parts)
st.fragment(board, run_every=jobs.poll_seconds(parts))(choice, active)
