"""The queue as rows: what each run is, how it stands, and what can be done about it."""

import json
import time
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from lazycore.config import RunConfig
from lazycore.errors import ConfigError, brief
from lazycore.figures import export
from lazycore.jobs import Job
from lazycore.sweepconfig import SweepConfig
from lazycore.workers.heartbeat import WorkerInfo
from pages.widgets import controls, sweeplink
from pages.widgets.job import duration, is_active, passed_and_left
from pages.widgets.resources import queue
from pages.widgets.sentences import plain

MOST_ROWS = 30
WIDTHS = [3.4, 1.1, 1.6, 0.9, 1.4]
COLORS = {"done": "green", "running": "blue", "queued": "gray", "failed": "red"}


def any_active() -> bool:
    """Whether some run waits or is being computed."""
    return any(is_active(job) for job in queue().list(MOST_ROWS))


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
    for job in sorted(jobs, key=lambda j: -1 if j.position is None else j.position):
        what, state, how_far, device, action = st.columns(WIDTHS, vertical_alignment="center")
        with what:
            _link(job)
        state.markdown(_badge(job))
        if job.state == "running":
            said = f"{job.progress:.0%}{passed_and_left(job)}"
            how_far.progress(min(max(job.progress, 0.0), 1.0), said)
        else:
            how_far.caption(f"waits for {job.position}" if job.position else "is next")
        device.caption(job.device or "–")
        action.button("Cancel", key=f"cancel_{job.digest}", on_click=_cancel, args=(job.digest,))


def show_ended(jobs: Sequence[Job]) -> None:
    """Draw the runs that have ended, the latest first."""
    st.header("History")
    if not jobs:
        st.caption("No run has ended yet.")
    for job in jobs:
        what, state, when, device, action = st.columns(WIDTHS, vertical_alignment="center")
        with what:
            _link(job)
            if job.message:
                st.caption(plain(brief(job.message)))
        state.markdown(_badge(job))
        when.caption(_when(job))
        device.caption(job.device or "–")
        with action.container(horizontal=True, gap="small"):
            if job.state != "done" and job.config:
                st.button("Retry", key=f"retry_{job.digest}", on_click=_retry, args=(job.digest,))
            if job.state == "done" and job.kind == "run":
                st.checkbox("Compare", key=f"pick_{job.digest}")
            st.button(
                "Delete",
                key=f"delete_{job.digest}",
                type="tertiary",
                on_click=_delete,
                args=(job.digest,),
            )


def show_comparison(jobs: Sequence[Job]) -> None:
    """Draw the way to Compare once two runs of the history are ticked."""
    picked = [job.digest for job in jobs if st.session_state.get(f"pick_{job.digest}")]
    if len(picked) > 1:
        address = controls.page_address("compare", runs=",".join(picked))
        st.html(f'<a href="{escape(address)}" target="_self">Compare these {len(picked)} runs</a>')


def _cancel(digest: str) -> None:
    queue().cancel(digest)


def _retry(digest: str) -> None:
    queue().retry(digest)


def _delete(digest: str) -> None:
    queue().delete(digest)


def _badge(job: Job) -> str:
    return f":{COLORS.get(job.state, 'orange')}-badge[{job.state}]"


def _link(job: Job) -> None:
    label, address = _named_sweep(job) if job.kind == "sweep" else named(_items(job))
    text = escape(label or job.digest)
    if address:
        text = f'<a href="{escape(address)}" target="_self">{text}</a>'
    st.html(text)


def _items(job: Job) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(job.config.items()))


def _named_sweep(job: Job) -> tuple[str, str]:
    """Return what a sweep is called, and its link; both empty for one of another version."""
    try:
        return _label_of_sweep(json.dumps(job.config, sort_keys=False))
    except ConfigError:
        return "", ""


@st.cache_data(max_entries=100, show_spinner=False)
def _label_of_sweep(text: str) -> tuple[str, str]:
    config = SweepConfig.from_dict(json.loads(text))
    fields = config.to_text()
    axes = " × ".join(f"{name} {fields[name]}" for name in config.axes)
    fixed = {k: v for k, v in export.minimal(config.base.to_dict()).items() if k not in config.axes}
    rest = f" · {_label(fixed)}" if fixed else ""
    return f"{len(config.cells)} runs: {axes}{rest}", sweeplink.link(config)


@st.cache_data(max_entries=500, show_spinner=False)
def named(items: tuple[tuple[str, Any], ...]) -> tuple[str, str]:
    """Return what a run is called, and its link; both empty for a config of another version."""
    try:
        config = RunConfig.from_dict(dict(items))
        return _label(export.minimal(dict(items))) or "the default run", controls.link(config)
    except ConfigError:
        return "", ""


def _label(fields: Mapping[str, Any]) -> str:
    shown = [f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in fields.items()]
    return " · ".join(shown).replace("alpha ", "α = ")


def _when(job: Job) -> str:
    if job.finished_at is None:
        return "–"
    took = f", took {duration(job.finished_at - job.started_at)}" if job.started_at else ""
    return f"{duration(time.time() - job.finished_at)} ago{took}"
