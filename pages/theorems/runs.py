"""The runs behind a theorem: the chosen one, its twins, and those that differ in α only."""

from dataclasses import replace
from urllib.parse import urljoin

import streamlit as st

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.results.run import RunResult
from lazycore.results.sweep import SweepResult
from pages.theorems.controls import Choice, parameters
from pages.widgets import jobs, links
from pages.widgets.jobs import Part
from pages.widgets.progress import link, start_and_cancel
from pages.widgets.resources import finished, finished_table, table_so_far

SIBLINGS, SWEEP = "theorem_siblings", "theorem_sweep"


def act(choice: Choice) -> None:
    """Do what was asked for in the click before this drawing.

    The problems of a theorem take a second or so: they are run as soon as they are chosen. A
    run of one's own waits for its button.
    """
    asks = {
        "run": lambda: [choice.config],
        SIBLINGS: lambda: siblings(choice),
        SWEEP: lambda: _sweeps(choice),
    }
    jobs.act(asks, lambda: [choice.config])
    if choice.is_example:
        jobs.want([choice.config])
    jobs.want(_companions(choice))


def toolbar(choice: Choice) -> None:
    """Draw Run, Cancel and the link of the statement on this run."""
    part = jobs.look_at(choice.config)
    with st.container(horizontal=True, vertical_alignment="center"):
        start_and_cancel("Run", "run", part.active, done=part.whole)
        address = links.page_address("theorems", **parameters(choice))
        said = "Opens this statement on exactly this run, anywhere."
        link(said, urljoin(st.context.url or "", address))


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
    return finished_table(sweep.digest) or table_so_far(sweep)


def parts(choice: Choice) -> list[Part]:
    """Return how far all that is shown here is, the chosen run first."""
    runs = [choice.config, *siblings(choice), *_companions(choice)]
    each = {config.digest: config for config in (*runs, *_sweeps(choice))}
    return jobs.look(list(each.values()))


def _companions(choice: Choice) -> list[RunConfig]:
    result = finished(choice.config.digest)
    return [] if result is None else list(choice.theorem.companions(result).values())


def _sweeps(choice: Choice) -> list[SweepConfig]:
    return [choice.theorem.sweep] if choice.theorem.sweep else []
