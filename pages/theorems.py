"""Theorems: a statement, its hypotheses on a problem, and what is measured under its bound."""

import streamlit as st

from pages.widgets import job, theoremcontrols, theoremruns, theoremview
from pages.widgets.resources import banner
from pages.widgets.sentences import said_in_a_sentence, show_link_error
from pages.widgets.theoremcontrols import Choice


def board(choice: Choice, was_active: bool) -> None:
    """Draw what is measured; while anything computes, this alone is drawn again and again."""
    with said_in_a_sentence():
        if was_active and not theoremruns.is_active(choice):
            st.rerun()
        result, current = job.look(choice.config.digest)
        with st.container():  # always there, so that what is below it stays the same element
            job.show_state(current, result)
        if result is not None:
            theoremview.show_hypotheses(choice.theorem, result)
            others = theoremruns.companions(choice, result)
            theoremview.show_lines(choice, result, others)
            theoremview.show_rates(choice, theoremruns.found(choice))
        theoremview.show_sweep(choice)


theorem = theoremcontrols.statement()
st.title(theorem.title)
banner()
show_link_error(theoremcontrols.link_error())
theoremview.show_statement(theorem)
choice = theoremcontrols.chosen()
theoremruns.act(choice)
theoremruns.toolbar(choice)
theoremview.explore_link(choice)
active = theoremruns.is_active(choice)
st.fragment(board, run_every=job.POLL_SECONDS if active else None)(choice, active)
