"""The queue as rows: what each run is, how it stands, and what can be done about it."""

import json
import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError
from lazycore.figures import export
from lazycore.service.heartbeat import WorkerInfo
from lazycore.service.queue import Job
from pages.widgets import links, sweeplink
from pages.widgets.comparelink import compare_link
from pages.widgets.progress import duration, passed_and_left
from pages.widgets.resources import queue

MOST_ROWS = 500
MOST_ACTIVE = 30
WIDTHS = [3.4, 1.1, 1.6, 0.9, 1.4]
COLORS = {"done": "green", "running": "blue", "queued": "gray", "failed": "red"}


def show_workers(workers: Sequence[WorkerInfo]) -> None:
    """Draw each worker, its device, its last sign of life and what it is busy with."""
    for worker in workers:
        alive = ":green-badge[alive]" if worker.alive else ":red-badge[silent]"
        busy = f"busy with `{worker.busy_with}`" if worker.busy_with else "free"
        beat = f"heartbeat {worker.heartbeat_age:.0f} s ago"
        st.markdown(f"{alive} **{worker.device}** worker, process {worker.pid}, {busy}, {beat}")


def show_active(jobs: Sequence[Job]) -> None:
    """Draw the runs on their way, the next one first, each with a way to stop it."""
    st.header("Now")
    if not jobs:
        st.caption("Nothing is waiting or being computed.")
    if len(jobs) > MOST_ACTIVE:
        st.caption(f"{len(jobs)} are on their way; the next {MOST_ACTIVE} are shown.")
    next_first = sorted(jobs, key=lambda j: -1 if j.position is None else j.position)
    for job in next_first[:MOST_ACTIVE]:
        what, state, how_far, device, action = st.columns(WIDTHS, vertical_alignment="center")
        with what:
            label, address = titled(job)
            show_link(label or job.digest, address)
        state.markdown(badge(job))
        if job.state == "running":
            said = f"{job.progress:.0%}{passed_and_left(job)}"
            how_far.progress(min(max(job.progress, 0.0), 1.0), said)
        else:
            how_far.caption(f"waits for {job.position}" if job.position else "is next")
        device.caption(job.device or "–")
        action.button("Cancel", key=f"cancel_{job.digest}", on_click=_cancel, args=(job.digest,))


def show_actions(job: Job) -> None:
    """Draw what can be done about a job that has ended."""
    if job.state != "done" and job.config:
        st.button("Retry", key=f"retry_{job.digest}", on_click=_retry, args=(job.digest,))
    if job.state == "done" and job.kind == "run":
        _show_tick(job.digest)
    st.button(
        "Delete",
        key=f"delete_{job.digest}",
        type="tertiary",
        on_click=_delete,
        args=(job.digest,),
    )


def show_comparison() -> None:
    """Draw the way to Compare once two runs of the history are ticked."""
    picked = _picked()
    if len(picked) > 1:
        compare_link(picked, f"Compare these {len(picked)} runs")


def _picked() -> list[str]:
    """Return the digests that are ticked; a box that is not on this page keeps its tick."""
    return st.session_state.setdefault("picked runs", [])


def _show_tick(digest: str) -> None:
    key, picked = f"pick_{digest}", _picked()
    if key not in st.session_state:
        st.session_state[key] = digest in picked
    if st.checkbox("Compare", key=key) != (digest in picked):
        picked.remove(digest) if digest in picked else picked.append(digest)


def _cancel(digest: str) -> None:
    queue().cancel(digest)


def _retry(digest: str) -> None:
    queue().retry(digest)


def _delete(digest: str) -> None:
    if digest in _picked():
        _picked().remove(digest)
    queue().delete(digest)


def badge(job: Job) -> str:
    """Return the state of a job in its colour, in markdown."""
    return f":{COLORS.get(job.state, 'orange')}-badge[{job.state}]"


def titled(job: Job) -> tuple[str, str]:
    """Return what a job is called, and its link; both empty for one of another version."""
    return _named_sweep(job) if job.kind == "sweep" else named(_items(job))


def show_link(label: str, address: str) -> None:
    """Draw the name of a job, which opens it."""
    text = escape(label)
    st.html(f'<a href="{escape(address)}" target="_self">{text}</a>' if address else text)


def _items(job: Job) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(job.config.items()))


def _named_sweep(job: Job) -> tuple[str, str]:
    """Return what a sweep is called, and its link; both empty for one of another version."""
    try:
        return _label_of_sweep(json.dumps(job.config, sort_keys=False))
    except ConfigError:
        return "", ""


@st.cache_data(max_entries=500, show_spinner=False)
def _label_of_sweep(text: str) -> tuple[str, str]:
    config = SweepConfig.from_dict(json.loads(text))
    fields = config.to_text()
    axes = " × ".join(f"{name} {fields[name]}" for name in config.axes)
    fixed = {k: v for k, v in export.minimal(config.base.to_dict()).items() if k not in config.axes}
    rest = f" · {_label(fixed)}" if fixed else ""
    return f"{len(config.cells)} runs: {axes}{rest}", sweeplink.link(config)


@st.cache_data(max_entries=2000, show_spinner=False)
def named(items: tuple[tuple[str, Any], ...]) -> tuple[str, str]:
    """Return what a run is called, and its link; both empty for a config of another version."""
    try:
        config = RunConfig.from_dict(dict(items))
        return _label(export.minimal(dict(items))) or "the default run", links.link(config)
    except ConfigError:
        return "", ""


def _label(fields: Mapping[str, Any]) -> str:
    shown = [f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in fields.items()]
    return " · ".join(shown).replace("alpha ", "α = ")


def ended(job: Job) -> str:
    """Return how long ago a job ended, and how long it took."""
    if job.finished_at is None:
        return "–"
    took = f", took {duration(job.finished_at - job.started_at)}" if job.started_at else ""
    return f"{duration(time.time() - job.finished_at)} ago{took}"
