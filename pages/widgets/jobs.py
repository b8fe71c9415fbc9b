"""Runs and sweeps on their way: asking for them, how far they are, stopping them.

A page says which configs it shows and which each of its buttons asks for; one run is a list of
one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.results.run import RunResult
from lazycore.results.sweep import SweepResult
from lazycore.running.refinement import SHARE, first_answer
from lazycore.service.queue import Job
from pages.widgets.progress import is_active, not_computed, passed_and_left, show_progress
from pages.widgets.resources import finished, finished_table, partial, queue, table_so_far
from pages.widgets.sentences import show_error, show_info

Config = RunConfig | SweepConfig
RUN_POLL, SWEEP_POLL = 0.4, 0.7
"""Seconds between two looks at a run, and at a sweep of few cells."""
WAIT_SECONDS = 0.25
"""How long a click waits for a short run, so that it is on the page in the same answer."""
FIRST_SECONDS = 0.6
"""How long it waits for the first answer of a run that has two."""


@dataclass(frozen=True)
class Part:
    """One run or sweep: what it has come to so far, whether that is all, and its job if not."""

    config: Config
    found: RunResult | SweepResult | None
    whole: bool
    job: Job | None

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return is_active(self.job)

    @property
    def runs(self) -> tuple[int, int]:
        """Runs that are there, and runs in all."""
        if isinstance(self.config, SweepConfig):
            done = self.found.done if isinstance(self.found, SweepResult) else 0
            return done, len(self.config.cells)
        return int(self.whole), 1

    @property
    def share(self) -> float:
        """Runs that are there, a running one by its progress."""
        if isinstance(self.config, SweepConfig) or self.whole or self.job is None:
            return float(self.runs[0])
        return min(max(self.job.progress, 0.0), 1.0)


def look(configs: Sequence[Config]) -> list[Part]:
    """Return how far each of these is: stored, shipped, or on its way."""
    return [look_at(config) for config in configs]


def look_at(config: Config) -> Part:
    """Return how far this one is; without a job and without a result nobody asked for it."""
    is_sweep = isinstance(config, SweepConfig)
    whole = finished_table(config.digest) if is_sweep else finished(config.digest)
    if whole is not None:
        return Part(config, whole, True, None)
    job = queue().get(config.digest)
    if is_sweep:
        return Part(config, table_so_far(config) if job else None, False, job)
    return Part(config, partial(config.digest, is_active(job)), False, job)


def act(
    asks: Mapping[str, Callable[[], Sequence[Config]]], shown: Callable[[], Sequence[Config]]
) -> None:
    """Do what was asked for in the click before this drawing.

    asks: what each button asks for. shown: what Cancel stops.
    """
    asked = st.session_state.pop("asked", None)
    if asked == "cancel":
        for part in look(shown()):
            if part.active:
                queue().cancel(part.config.digest)
    elif asked in asks:
        _submit([p.config for p in look(asks[asked]()) if not p.whole and not p.active])


def want(configs: Sequence[Config]) -> None:
    """Have these computed without a click, unless somebody has asked for them before."""
    _submit([p.config for p in look(configs) if not p.whole and p.job is None])


def _submit(configs: Sequence[Config]) -> None:
    for config in configs:
        queue().submit(config)
    if configs:
        first = configs[0]
        if isinstance(first, RunConfig) and first_answer(first.resolve().to_dict()):
            queue().wait(first.digest, FIRST_SECONDS, share=SHARE)
        else:
            queue().wait(first.digest, WAIT_SECONDS)


def poll_seconds(parts: Sequence[Part]) -> float | None:
    """Return how often unfinished ones are looked at, less often the more cells they have; None
    where nothing is on its way."""
    if not any(part.active for part in parts):
        return None
    cells = [len(p.config.cells) for p in parts if isinstance(p.config, SweepConfig)]
    return max(SWEEP_POLL, 0.003 * max(cells)) if cells else RUN_POLL


def show_state(parts: Sequence[Part], label: str, missing: str = "") -> None:
    """Draw how far these are and how long they will take, or why there is no whole result.

    label: of the button that asks for what is missing. missing: said instead where nobody has
    pressed it yet.
    """
    if len(parts) == 1:
        return _show_one(parts[0], label, missing)
    done, total = (sum(numbers) for numbers in zip(*(p.runs for p in parts), strict=True))
    said = f"{done} of {total} runs"
    jobs = [part.job for part in parts if part.job is not None]
    running = next((job for job in jobs if job.state == "running"), None)
    stopped = next((job for job in jobs if not is_active(job) and job.state != "done"), None)
    if running is not None:
        passed = passed_and_left(running, "left of this part")
        share = sum(part.share for part in parts) / total
        st.progress(min(share, 1.0), text=f"Computing: {said}{passed}")
    elif any(part.active for part in parts):
        st.progress(done / total, text=f"Waiting for a worker: {said} are there.")
    elif all(part.whole for part in parts):
        return
    elif stopped is not None:
        message = f"{stopped.message or 'It was stopped.'} {said} are there."
        (show_info if stopped.state == "cancelled" else show_error)(message)
    else:
        not_computed(label, missing and f"{said} are computed: {missing}")


def _show_one(part: Part, label: str, missing: str) -> None:
    if part.job is None:
        if not part.whole:
            not_computed(label, missing)
    elif isinstance(part.config, SweepConfig):
        done, total = part.runs
        cells = f"{done} of {total} cells"
        show_progress(part.job, "Sweeping", done / total, cells, f"{cells} are there.")
    else:
        show_progress(part.job, "Training", part.job.progress, f"{part.job.progress:.0%}")
