"""The runs and sweeps of a figure on their way: asking for them, how far they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.papers.reproduction import Found, Job
from lazycore.results.sweep import SweepResult
from lazycore.service import queue as queued
from pages.widgets import job, sweepjob
from pages.widgets.job import WAIT_SECONDS, is_active, passed_and_left, start_and_cancel
from pages.widgets.resources import partial, queue
from pages.widgets.sentences import show_error, show_info

POLL_SECONDS = 0.7
COMPUTE = "compute_figure"


@dataclass(frozen=True)
class Part:
    """One job of a figure: what it has come to so far, whether that is all, and its way there."""

    job: Job
    found: Found
    whole: bool
    current: queued.Job | None

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return is_active(self.current)

    @property
    def runs(self) -> tuple[int, int]:
        """Runs that are there, and runs in all."""
        if isinstance(self.job, SweepConfig):
            done = self.found.done if isinstance(self.found, SweepResult) else 0
            return done, len(self.job.cells)
        return int(self.whole), 1

    @property
    def share(self) -> float:
        """Runs that are there, a running one by its progress."""
        if isinstance(self.job, SweepConfig) or self.whole or self.current is None:
            return float(self.runs[0])
        return min(max(self.current.progress, 0.0), 1.0)


def look(jobs: Sequence[Job]) -> list[Part]:
    """Return how far each job is: stored, shipped, or on its way."""
    return [_sweep(one) if isinstance(one, SweepConfig) else _run(one) for one in jobs]


def _sweep(config: SweepConfig) -> Part:
    table, current = sweepjob.look(config)
    found = sweepjob.so_far(config) if table is None and current else table
    return Part(config, found, table is not None, current)


def _run(config: RunConfig) -> Part:
    result, current = job.look(config.digest)
    found = partial(config.digest, is_active(current)) if result is None else result
    return Part(config, found, result is not None, current)


def act(jobs: Sequence[Job]) -> None:
    """Do what was asked for in the click before this drawing: compute or cancel."""
    asked = st.session_state.pop("asked", None)
    if asked not in (COMPUTE, "cancel"):
        return
    waited = False
    for part in look(jobs):
        if asked == "cancel" and part.active:
            queue().cancel(part.job.digest)
        if asked == COMPUTE and not part.whole and not part.active:
            digest = queue().submit(part.job)
            if not waited:
                queue().wait(digest, WAIT_SECONDS)
            waited = True


def toolbar(jobs: Sequence[Job]) -> bool:
    """Draw Compute and Cancel; True while a job is on its way."""
    parts = look(jobs)
    active, whole = any(p.active for p in parts), all(p.whole for p in parts)
    missing = sum(total - done for done, total in (p.runs for p in parts))
    label = f"Compute {missing} run{'s' * (missing != 1)}" if missing else "Computed"
    with st.container(horizontal=True, vertical_alignment="center"):
        start_and_cancel(label, COMPUTE, active, done=whole)
    return active


def show_state(parts: Sequence[Part]) -> None:
    """Draw how many runs are there and how long the rest will take, or why they stopped."""
    done, total = (sum(numbers) for numbers in zip(*(p.runs for p in parts), strict=True))
    said = f"{done} of {total} runs"
    running = next((p.current for p in parts if p.current and p.current.state == "running"), None)
    stopped = next((p.current for p in parts if p.current and not p.active), None)
    if running is not None:
        share = sum(p.share for p in parts) / total
        passed = passed_and_left(running, "left of this part")
        st.progress(min(share, 1.0), text=f"Computing: {said}{passed}")
    elif any(p.active for p in parts):
        st.progress(done / total, text=f"Waiting for a worker: {said} are there.")
    elif all(p.whole for p in parts):
        return
    elif stopped is not None and stopped.state != "done":
        message = f"{stopped.message or 'It was stopped.'} {said} are there."
        (show_info if stopped.state == "cancelled" else show_error)(message)
    else:
        st.info(
            f"{said} are computed: press **Compute**; what is reported is shown already.",
            icon=":material/play_arrow:",
        )
