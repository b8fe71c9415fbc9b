"""The runs behind a theorem: the chosen one, its twins, and those that differ in α only."""

from dataclasses import replace
from urllib.parse import urljoin

import streamlit as st

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.results.run import RunResult
from lazycore.results.sweep import SweepResult
from pages.theorems.controls import Choice, parameters
from pages.widgets import job, links, sweepjob
from pages.widgets.resources import finished, queue

SIBLINGS, SWEEP = "theorem_siblings", "theorem_sweep"


def act(choice: Choice) -> None:
    """Do what was asked for in the click before this drawing.

    The problems of a theorem take a second or so: they are run as soon as they are chosen. A
    run of one's own waits for its button.
    """
    asked = st.session_state.get("asked")
    if asked == SIBLINGS:
        for config in siblings(choice):
            _submit(config)
    if asked == SWEEP and choice.theorem.sweep and not sweepjob.finished(_digest(choice)):
        queue().submit(choice.theorem.sweep)
    if asked in (SIBLINGS, SWEEP):
        del st.session_state["asked"]
    job.act(choice.config, on_change=choice.is_example)
    result = finished(choice.config.digest)
    if result is not None:
        for config in choice.theorem.companions(result).values():
            _submit(config)


def toolbar(choice: Choice) -> None:
    """Draw Run, Cancel and the link of the statement on this run."""
    result, current = job.look(choice.config.digest)
    with st.container(horizontal=True, vertical_alignment="center"):
        job.start_and_cancel("Run", "run", job.is_active(current), done=result is not None)
        address = links.page_address("theorems", **parameters(choice))
        said = "Opens this statement on exactly this run, anywhere."
        job.link(said, urljoin(st.context.url or "", address))


def _submit(config: RunConfig) -> None:
    if finished(config.digest) is None and queue().get(config.digest) is None:
        queue().submit(config)


def siblings(choice: Choice) -> list[RunConfig]:
    """Return the runs over which the theorem's rates are measured, the chosen one among them."""
    alphas = {*choice.theorem.alphas, choice.config.alpha or 1.0} if choice.theorem.alphas else ()
    return [replace(choice.config, alpha=alpha) for alpha in sorted(alphas)]


def found(choice: Choice) -> list[RunResult]:
    """Return those of them that are there."""
    results = (finished(config.digest) for config in siblings(choice))
    return [result for result in results if result is not None]


def companions(choice: Choice, result: RunResult) -> dict[str, RunResult]:
    """Return the further runs that the statement is about, as far as they are there."""
    wanted = choice.theorem.companions(result)
    there = {label: finished(config.digest) for label, config in wanted.items()}
    return {label: one for label, one in there.items() if one is not None}


def table(sweep: SweepConfig) -> SweepResult:
    """Return the table of the sweep, as far as it is there."""
    return sweepjob.finished(sweep.digest) or sweepjob.so_far(sweep)


def is_active(choice: Choice) -> bool:
    """Whether anything that is shown here is on its way."""
    wanted = [choice.config.digest, *(config.digest for config in siblings(choice))]
    result = finished(choice.config.digest)
    if result is not None:
        wanted += [config.digest for config in choice.theorem.companions(result).values()]
    missing = [digest for digest in dict.fromkeys(wanted) if finished(digest) is None]
    if choice.theorem.sweep and not sweepjob.finished(_digest(choice)):
        missing.append(_digest(choice))
    return any(job.is_active(queue().get(digest)) for digest in missing)


def _digest(choice: Choice) -> str:
    return choice.theorem.sweep.digest if choice.theorem.sweep else ""
