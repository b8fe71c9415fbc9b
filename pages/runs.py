"""Runs: what is computed now, what waits for what, what has been; and files of other runs."""

import streamlit as st

from pages.widgets import job, ledger
from pages.widgets.panels import show_panels
from pages.widgets.resources import banner, opened_record, queue
from pages.widgets.sentences import said_in_a_sentence
from pages.widgets.summary import show_summary

ACTIVE_SECONDS, IDLE_SECONDS = 1.0, 5.0


def books() -> None:
    """Draw workers, queue and history; drawn again every few seconds."""
    with said_in_a_sentence():
        jobs = queue().list(ledger.MOST_ROWS)
        active = [j for j in jobs if job.is_active(j)]
        ledger.show_workers(queue().workers())
        ledger.show_active(active)
        ended = [j for j in jobs if not job.is_active(j)]
        ledger.show_ended(ended)
        ledger.show_comparison(ended)


st.title("Runs")
banner()
st.fragment(books, run_every=ACTIVE_SECONDS if ledger.any_active() else IDLE_SECONDS)()

st.header("Open a file")
file = st.file_uploader(
    "A record that `python -m lazycore run --out`, `RunResult.save` or `lazycore.compare` wrote",
    type="npz",
    key="file",
)
if file is not None:
    result = opened_record(file.getvalue())
    show_summary(result, f"{file.name}:")
    show_panels(result, "file", log=True)
