"""A run on its way: asking for it, how far it is, stopping it."""

import math
import time

import streamlit as st

from lazycore.config.run import RunConfig
from lazycore.results.run import RunResult
from lazycore.running.refinement import SHARE, first_answer
from lazycore.service.queue import Job
from pages.widgets import links
from pages.widgets.resources import finished, queue
from pages.widgets.sentences import show_error, show_info

WAIT_SECONDS = 0.25
"""How long a click waits for a short run, so that it is on the page in the same answer."""
FIRST_SECONDS = 0.6
"""How long it waits for the first answer of a run that has two."""
POLL_SECONDS = 0.4


def ask(what: str) -> None:
    """Remember, in the callback of a click, what the next drawing of the page is to do."""
    st.session_state.asked = what


def act(config: RunConfig, on_change: bool) -> None:
    """Do what was asked for: run, cancel, or with `on_change` run whatever is not there."""
    asked = st.session_state.pop("asked", "run" if on_change else None)
    result, current = look(config.digest)
    if asked == "cancel" and is_active(current):
        queue().cancel(config.digest)
    if asked == "run" and result is None and (current is None or not on_change):
        queue().submit(config)
        if first_answer(config.resolve().to_dict()):
            queue().wait(config.digest, FIRST_SECONDS, share=SHARE)
        else:
            queue().wait(config.digest, WAIT_SECONDS)


def look(digest: str) -> tuple[RunResult | None, Job | None]:
    """Return the whole result of a run, or else its job; neither when nobody asked for it."""
    result = finished(digest)
    return result, queue().get(digest) if result is None else None


def is_active(job: Job | None) -> bool:
    """Whether the job waits or runs."""
    return job is not None and job.state in ("queued", "running")


def toolbar(config: RunConfig) -> bool:
    """Draw Run, Cancel and the link of the run; True while it is on its way."""
    result, current = look(config.digest)
    active = is_active(current)
    with st.container(horizontal=True, vertical_alignment="center"):
        start_and_cancel("Run", "run", active, done=result is not None)
        link("Opens this run anywhere, with every default written out.", links.whole_link(config))
    return active


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


def show_state(job: Job | None, result: RunResult | None) -> None:
    """Draw how far a run is and how long it will take, or why it has no whole result."""
    if job is not None:
        show_progress(job, "Training", job.progress, f"{job.progress:.0%}")
    elif result is None:
        not_computed("Run")


def not_computed(label: str) -> None:
    """Say that nobody has asked for this yet, and which button does."""
    st.info(f"Not computed yet: press **{label}**.", icon=":material/play_arrow:")


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
