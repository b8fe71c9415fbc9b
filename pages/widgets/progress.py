"""What is drawn of a job: its buttons, how far it is, how long it still takes."""

import math
import time

import streamlit as st

from lazycore.service.queue import Job
from pages.widgets.sentences import show_error, show_info


def ask(what: str) -> None:
    """Remember, in the callback of a click, what the next drawing of the page is to do."""
    st.session_state.asked = what


def is_active(job: Job | None) -> bool:
    """Whether the job waits or runs."""
    return job is not None and job.state in ("queued", "running")


def start_and_cancel(label: str, asks: str, active: bool, done: bool) -> None:
    """Draw the button that asks for what is not there yet, and the one that stops it."""
    st.button(
        label,
        type="primary",
        icon=":material/play_arrow:",
        key=asks,
        disabled=active or done,
        help="It is computed: change something to compute anew." if done else None,
        on_click=ask,
        args=(asks,),
    )
    st.button(
        "Cancel",
        icon=":material/stop:",
        key=f"cancel_{asks}",
        disabled=not active,
        on_click=ask,
        args=("cancel",),
    )


def link(caption: str, address: str) -> None:
    """Draw the address that opens what is shown here."""
    with st.popover("Link", icon=":material/link:"):
        st.caption(caption)
        st.code(address, language=None, wrap_lines=True)


def not_computed(label: str, said: str = "") -> None:
    """Say that nobody has asked for this yet, and which button does."""
    st.info(said or f"Not computed yet: press **{label}**.", icon=":material/play_arrow:")


def show_progress(job: Job, doing: str, share: float, words: str, kept: str = "") -> None:
    """Draw how far a job is, or why it ended without a whole result.

    share, words: what is done, as a number from 0 to 1 and as it is said. kept: a sentence on
    what is there although the job has ended.
    """
    if job.state == "queued":
        waiting = f"{job.position} before it" if job.position else "it is the next"
        st.progress(0.0, text=f"Waiting for a worker: {waiting}.")
    elif job.state == "running":
        device = f" on {job.device}" if job.device else ""
        st.progress(min(max(share, 0.0), 1.0), f"{doing}{device}: {words}{passed_and_left(job)}")
    elif job.state == "cancelled":
        show_info(f"{job.message or 'Cancelled.'} {kept}".rstrip(), icon=":material/cancel:")
    else:
        show_error(f"{job.message or 'It failed.'} {kept}".rstrip())


def passed_and_left(job: Job, left: str = "left") -> str:
    """Return how long a job has been running and, once that is known, how long it still takes."""
    passed = max(0.0, time.time() - job.started_at) if job.started_at is not None else 0.0
    said = f", {duration(passed)} so far" if passed >= 1.0 else ""
    return said + (f", about {duration(job.eta_seconds)} {left}" if job.eta_seconds else "")


def duration(seconds: float | None) -> str:
    """Return a time span in words."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else "a second"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 4 * 86400 else f"{seconds / 86400:,.0f} days"
