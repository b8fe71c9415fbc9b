"""What lists say of runs and sweeps without reading each again: names, verdicts, dates."""

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import streamlit as st

from lazycore.errors import LazyLabError, ResultNotFound
from lazycore.results.cellgroups import cell_groups, verdicts_in
from lazycore.results.groups import counted
from lazycore.service.queue import Job
from pages.widgets.ledger import named
from pages.widgets.resources import finished, finished_table, store

MOST_READ = 30
"""Results that one drawing of a page reads for their verdicts; the next one reads on."""
MOST_CELLS = 1000
"""Cells of a sweep whose table is read for a list: a cell takes a millisecond."""


@st.cache_data(max_entries=10_000, show_spinner=False)
def _verdict(digest: str) -> str:
    result = finished(digest)
    if result is None:
        raise ResultNotFound(f"No result of run {digest} is stored.")
    return result.verdict if result.status == "done" else result.status


def verdict_of(digest: str) -> str:
    """Return the verdict of a whole run, or how it ended without one; empty for none."""
    with suppress(LazyLabError):
        return _verdict(digest)
    return ""


@st.cache_data(max_entries=200, show_spinner=False)
def groups_of(digest: str) -> list[tuple[str, list[str]]]:
    """Return the groups of seeds of a whole sweep: their names in links, and what they are."""
    table = finished_table(digest)
    if table is None:  # raised, so that it is not remembered
        raise ResultNotFound(f"No table of the sweep {digest} is stored.")
    task = str(table.config.base.resolve().to_dict().get("task", ""))
    own = "task" not in table.config.axes
    return [(g.token, [g.label, g.verdicts, task if own else ""]) for g in cell_groups(table)]


def is_small(job: Job) -> bool:
    """Whether a sweep has so few cells that its table can be read for a list."""
    axes = job.config.get("axes")
    if not isinstance(axes, dict) or not all(isinstance(v, list) for v in axes.values()):
        return False  # a row of the queue is not trusted
    return math.prod(len(values) for values in axes.values()) <= MOST_CELLS


def verdicts(jobs: Sequence[Job]) -> dict[str, str]:
    """Return the verdict of each of these jobs that is done; of a sweep, how many have which.

    What no worker noted is read from the results, a few at a time: the rest is empty until then.
    """
    read = st.session_state.setdefault("verdicts read", {})
    left = MOST_READ
    for job in jobs:
        if job.state != "done" or job.digest in read:
            continue
        if job.verdict:
            read[job.digest] = job.verdict
        elif left:
            left -= 1
            if said := _read(job):
                read[job.digest] = said
    return {job.digest: read.get(job.digest, "") for job in jobs if job.state == "done"}


def _read(job: Job) -> str:
    if job.kind == "run":
        return verdict_of(job.digest)
    with suppress(LazyLabError):
        return counted(verdicts_in(store().get_bytes(job.digest, "sweep:")))
    return ""


def run_name(fields: Mapping[str, Any] | None, digest: str, verdict: str = "") -> str:
    """Return what a run is called in a list: α, its verdict, its task, what is no default.

    In this order: what is narrow shows the first words only.
    """
    if not fields:
        return " · ".join(filter(None, [f"own module {digest[:8]}", verdict]))
    label = named(tuple(sorted(fields.items())))[0]
    if not label:
        return digest[:16]
    alpha = f"α = {fields['alpha']:g}" if fields.get("alpha") else ""
    own = [part for part in label.split(" · ") if not part.startswith(("α", "task "))]
    return " · ".join(filter(None, [alpha, verdict, str(fields.get("task", "")), *own]))


def day(at: float | None) -> str:
    """Return a moment as lists have it, empty for none."""
    return time.strftime("%d %b %Y, %H:%M", time.localtime(at)) if at else ""
