"""The store, the queue and the workers as the pages reach them: one of each per process."""

from dataclasses import replace

import streamlit as st

from lazycore.config.sweep import SweepConfig
from lazycore.errors import ResultNotFound
from lazycore.figures.opening import opened
from lazycore.machine.places import default_root
from lazycore.papers import shelf
from lazycore.results.eviction import SHOWN_SECONDS
from lazycore.results.run import RunResult
from lazycore.results.store import ResultStore, open_store
from lazycore.results.sweep import SweepResult
from lazycore.service import heartbeat
from lazycore.service.queue import JobQueue, open_queue

BANNER_SECONDS = 2.0
FRESH_SECONDS = 0.6


@st.cache_resource(show_spinner=False)
def store() -> ResultStore:
    """Return the store of results."""
    return open_store()


@st.cache_resource(show_spinner=False)
def queue() -> JobQueue:
    """Return the queue of runs."""
    return open_queue()


@st.cache_resource(max_entries=64, show_spinner=False)
def _read(digest: str) -> RunResult:
    return store().get(digest)


@st.cache_resource(max_entries=8, show_spinner="Reading the file …")
def opened_record(data: bytes) -> RunResult:
    """Return the record in the bytes of a file that somebody put in."""
    return opened(data)


def finished(digest: str) -> RunResult | None:
    """Return the whole result of this run, stored or shipped with the program; None without.

    For an hour it then makes room for no other.
    """
    if digest in store():
        store().keep([digest], SHOWN_SECONDS)
        try:
            return _read(digest)
        except ResultNotFound:
            return None
    return shelf.find(digest)


def partial(digest: str, going_on: bool) -> RunResult | None:
    """Return what a run that has not finished had so far, None where it had nothing.

    What is `going_on` is not marked as having ended.
    """
    try:
        result = store().get_partial(digest)
    except ResultNotFound:
        return None
    store().keep([digest], SHOWN_SECONDS)
    return replace(result, status="running") if going_on else result


def finished_table(digest: str) -> SweepResult | None:
    """Return the whole table of this sweep, stored or shipped with the program; None without."""
    if store().has_sweep(digest):
        store().keep([digest], SHOWN_SECONDS)
        try:
            return _read_table(digest)
        except ResultNotFound:
            pass
    return shelf.find_sweep(digest)


def table_so_far(config: SweepConfig) -> SweepResult:
    """Return the table of an unfinished sweep, with every cell missing where it has none."""
    try:
        store().keep([config.digest], SHOWN_SECONDS)
        return _read_partial_table(config.digest)
    except ResultNotFound:
        return SweepResult(config)


@st.cache_resource(max_entries=16, show_spinner=False)
def _read_table(digest: str) -> SweepResult:
    return store().get_sweep(digest)


# Reading a table costs a millisecond a cell: all who watch one sweep share what was just read.
# Not for longer, and not by its progress, which the worker notes before the table is written.
@st.cache_resource(max_entries=8, ttl=FRESH_SECONDS, show_spinner=False)
def _read_partial_table(digest: str) -> SweepResult:
    return store().get_partial_sweep(digest)


def worker_is_alive() -> bool:
    """Whether some worker has shown a sign of life within seconds."""
    return any(worker.alive for worker in heartbeat.workers(default_root()))


def banner() -> None:
    """Say so while nothing can be computed, until a worker is there."""
    missing = not worker_is_alive()
    st.fragment(_banner, run_every=BANNER_SECONDS if missing else None)(missing)


def _banner(was_missing: bool) -> None:
    if was_missing and worker_is_alive():
        st.rerun()
    if was_missing:
        st.warning(
            "No worker is running yet, so new runs wait in the queue; everything already computed "
            "can still be looked at. Start one with `python -m lazycore worker`.",
            icon=":material/power_off:",
        )
