"""Runs: what is computed now, what waits for what, what has been; and files of other runs."""

import streamlit as st

from pages.runs import history, own
from pages.widgets import ledger
from pages.widgets.progress import is_active
from pages.widgets.resources import banner, queue
from pages.widgets.sentences import said_in_a_sentence

ACTIVE_SECONDS, IDLE_SECONDS = 1.0, 5.0
JOBS_A_SECOND = 200  # listed for each second between two drawings: more take longer to read


def books() -> None:
    """Draw workers, queue and history; drawn again every few seconds."""
    with said_in_a_sentence():
        jobs = queue().list(ledger.MOST_ROWS)
        active = [j for j in jobs if is_active(j)]
        ledger.show_workers(queue().workers())
        ledger.show_active(active)
        history.show_history([j for j in jobs if not is_active(j)])


st.title("Runs")
banner()
with said_in_a_sentence():
    own.show_linked()
jobs = queue().list(ledger.MOST_ROWS)
pause = ACTIVE_SECONDS if any(is_active(j) for j in jobs) else IDLE_SECONDS
st.fragment(books, run_every=max(pause, len(jobs) / JOBS_A_SECOND))()
own.show_own()
own.show_file()
