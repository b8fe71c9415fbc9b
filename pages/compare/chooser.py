"""What can be chosen to be compared: runs, cells and groups of sweeps, by names that can be
searched."""

from collections.abc import Callable, Iterable
from contextlib import suppress

import streamlit as st

from lazycore.errors import LazyLabError
from lazycore.papers.ours import home
from lazycore.results.store import checked_digest
from lazycore.service.queue import Job
from pages.widgets.known import day, groups_of, is_small, run_name, verdict_of, verdicts
from pages.widgets.resources import finished, queue, store

MOST_JOBS = 200
MOST_GROUPS = 60
"""Groups of one sweep that the chooser lists; its other cells are chosen on the Sweep page."""
PICKED = "picked"


def options() -> dict[str, str]:
    """Return what can be compared, as in a link, with its name in words: the latest first."""
    jobs = [job for job in queue().list(MOST_JOBS) if job.state == "done"]
    known = verdicts([job for job in jobs if job.kind == "run"])
    found: dict[str, str] = {}
    for job in jobs:
        if job.kind == "run":
            said = [run_name(job.config, job.digest, known[job.digest]), day(job.finished_at)]
            found[job.digest] = _joined(said)
        elif is_small(job):
            found |= _of_sweep(job)
    for digest in store().digests("own:"):
        if digest not in store():
            continue
        found.setdefault(digest, run_name(None, digest, verdict_of(digest)))
    for run in home.runs():
        said = [run_name(run.config, run.digest, run.verdict), "shipped"]
        found.setdefault(run.digest, _joined(said))
    return found


def picker(written: list[str], take: Callable[[], None]) -> None:
    """Draw the choice, what is written in the box first; `take` is called when it changes."""
    at_hand = options()
    labels = {name: at_hand.get(name) or _unlisted(name) for name in (*written, *at_hand)}
    st.session_state[PICKED] = list(dict.fromkeys(written))
    st.multiselect(
        "Runs and groups",
        list(labels),
        format_func=lambda name: labels.get(name) or str(name),
        key=PICKED,
        on_change=take,
        placeholder="type a task, a width, a verdict …",
    )


def _of_sweep(job: Job) -> dict[str, str]:
    more = [f"sweep {job.digest[:4]}", day(job.finished_at)]
    with suppress(LazyLabError):  # what is not readable is not there
        groups = groups_of(job.digest)[:MOST_GROUPS]
        return {name: _joined([*said, *more]) for name, said in groups}
    return {}


def _unlisted(name: str) -> str:
    """Return the name of what is written in the box and in no list."""
    digest, *parts = name.split(":")
    if parts:
        return _joined([", ".join(parts), f"sweep {digest[:4]}"])
    return _stored_name(digest)


def _stored_name(digest: str) -> str:
    with suppress(LazyLabError):  # the page says it
        result = finished(checked_digest(digest))
        if result is not None:
            return run_name(result.config, digest, verdict_of(digest))
    return digest[:16]


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(part for part in parts if part)
