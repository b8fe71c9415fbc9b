"""A sweep on its way: asking for it, how many of its cells are there, stopping it."""

import streamlit as st

from lazycore.config.sweep import SweepConfig
from lazycore.errors import ResultNotFound
from lazycore.papers import atlas
from lazycore.results.eviction import SHOWN_SECONDS
from lazycore.results.sweep import SweepResult
from lazycore.service.queue import Job
from pages.widgets import sweeplink
from pages.widgets.job import (
    WAIT_SECONDS,
    is_active,
    link,
    not_computed,
    show_progress,
    start_and_cancel,
)
from pages.widgets.resources import queue, store
from pages.widgets.sweepview import View

POLL_SECONDS = 0.7
FRESH_SECONDS = 0.6


def act(config: SweepConfig) -> None:
    """Do what was asked for in the click before this drawing: sweep or cancel."""
    asked = st.session_state.pop("asked", None)
    table, current = look(config)
    if asked == "cancel" and is_active(current):
        queue().cancel(config.digest)
    if asked == "sweep" and table is None and not is_active(current):
        queue().wait(queue().submit(config), WAIT_SECONDS)


def look(config: SweepConfig) -> tuple[SweepResult | None, Job | None]:
    """Return the whole table of a sweep, or else its job; neither when nobody asked for it."""
    table = finished(config.digest)
    return table, queue().get(config.digest) if table is None else None


def finished(digest: str) -> SweepResult | None:
    """Return the whole table of this sweep, stored or shipped with the program; None without."""
    if store().has_sweep(digest):
        store().keep([digest], SHOWN_SECONDS)
        try:
            return _read(digest)
        except ResultNotFound:
            pass
    return atlas.find_sweep(digest)


@st.cache_resource(max_entries=16, show_spinner=False)
def _read(digest: str) -> SweepResult:
    return store().get_sweep(digest)


def so_far(config: SweepConfig) -> SweepResult:
    """Return the table of an unfinished sweep, with every cell missing where it has none."""
    try:
        store().keep([config.digest], SHOWN_SECONDS)
        return _read_partial(config.digest)
    except ResultNotFound:
        return SweepResult(config)


# Reading a table costs a millisecond a cell: all who watch one sweep share what was just read.
# Not for longer, and not by its progress, which the worker notes before the table is written.
@st.cache_resource(max_entries=8, ttl=FRESH_SECONDS, show_spinner=False)
def _read_partial(digest: str) -> SweepResult:
    return store().get_partial_sweep(digest)


def poll_seconds(config: SweepConfig) -> float:
    """Return how often an unfinished sweep is looked at: less often the more cells it has."""
    return max(POLL_SECONDS, 0.003 * len(config.cells))


def toolbar(config: SweepConfig, view: View) -> bool:
    """Draw Sweep, Cancel and the link of the sweep; True while it is on its way."""
    table, current = look(config)
    active = is_active(current)
    with st.container(horizontal=True, vertical_alignment="center"):
        start_and_cancel(label(config), "sweep", active, done=table is not None)
        link("Opens this sweep and this view of it anywhere.", sweeplink.whole_link(config, view))
        with st.popover("Code", icon=":material/code:"):
            st.caption("The same sweep on the command line.")
            st.code(sweeplink.command(config), language="bash", wrap_lines=True)
    return active


def label(config: SweepConfig) -> str:
    """Return what the button that starts the sweep says."""
    return f"Sweep {len(config.cells)} runs"


def show_state(job: Job | None, table: SweepResult, whole: bool) -> None:
    """Draw how many cells are there and how long the rest will take, or why it stopped."""
    cells = f"{table.done} of {table.total} cells"
    if job is not None:
        show_progress(job, "Sweeping", table.done / table.total, cells, f"{cells} are there.")
    elif not whole:
        not_computed(label(table.config))
