"""The sweeps behind the Feature-or-lazy page: the chosen one, finer ones, other depths, others."""

from collections.abc import Sequence
from urllib.parse import urljoin

import streamlit as st

from lazycore.config.sweep import SweepConfig
from lazycore.papers.feature_lazy.phases import Cube, cube_of, settings
from lazycore.papers.feature_lazy.phases import crossover as at
from lazycore.results.sweep import SweepResult
from pages.phases import controls
from pages.phases.controls import Choice
from pages.widgets import jobs, sweeplink
from pages.widgets.jobs import Part
from pages.widgets.links import page_address
from pages.widgets.progress import ask, duration, is_active, link, start_and_cancel
from pages.widgets.resources import finished_table, queue, table_so_far

SWEEP, BISECT, DEPTHS, COMPARE = "phase_sweep", "phase_bisect", "phase_depths", "phase_compare"
MOST_ROUNDS = 14


def act(choice: Choice) -> None:
    """Do what was asked for in the click before this drawing: compute something, or cancel."""
    asks = {
        SWEEP: lambda: [choice.config],
        BISECT: lambda: refined(choice.config)[1],
        DEPTHS: lambda: missing_depths(choice.config),
        COMPARE: lambda: [c.config for c in settings.comparisons()],
    }
    jobs.act(asks, lambda: _configs(choice))


def toolbar(choice: Choice, found: Sequence[Part]) -> None:
    """Draw Sweep, Cancel, the link and the command."""
    whole, active = found[0].whole, any(part.active for part in found)
    with st.container(horizontal=True, vertical_alignment="center"):
        start_and_cancel(label(choice.config), SWEEP, active, done=whole)
        shown = controls.parameters(choice.config, choice.in_alpha)
        address = page_address("phases", **shown, v="1")
        link("Opens this phase diagram anywhere.", urljoin(st.context.url or "", address))
        sweeplink.show_command(choice.config)
        if not whole:
            st.caption(f"about {duration(settings.estimate(choice.config))} on one slow core")


def label(config: SweepConfig) -> str:
    """Return what the button that starts the sweep says."""
    return f"Sweep {len(config.cells)} runs"


def show_state(choice: Choice, found: Sequence[Part]) -> None:
    """Draw how far the sweeps are that are on their way, or why one has stopped."""
    known = [part for part in found if part.job or part.config is choice.config]
    jobs.show_state(known, label(choice.config))


def parts(choice: Choice) -> list[Part]:
    """Return how far each sweep is that this page may ask for, the chosen one first."""
    return jobs.look(_configs(choice))


def _configs(choice: Choice) -> list[SweepConfig]:
    further = [*refined(choice.config)[1], *missing_depths(choice.config)]
    return [choice.config, *further, *(c.config for c in settings.comparisons())]


def table(config: SweepConfig) -> SweepResult:
    """Return the table of a sweep as far as it is there."""
    return finished_table(config.digest) or table_so_far(config)


def refined(config: SweepConfig) -> tuple[list[Cube], list[SweepConfig]]:
    """Return what is known of the border, and the sweeps that would halve its brackets.

    The first cube is the sweep's, the others those of bisections of it that are there.
    """
    whole = finished_table(config.digest)
    if whole is None:
        return [cube_of(table_so_far(config))], []
    cubes, wanted = [_cube(config.digest, whole)], []
    for _ in range(MOST_ROUNDS):
        wanted = _next(tuple(cube.config.digest for cube in cubes), cubes)
        found = [finished_table(one.digest) for one in wanted]
        cubes += [_cube(one.digest, one) for one in found if one is not None]
        if not wanted or None in found:
            break
    return cubes, [one for one in wanted if finished_table(one.digest) is None]


@st.cache_resource(max_entries=64, show_spinner=False)
def _next(digests: tuple[str, ...], _cubes: Sequence[Cube]) -> list[SweepConfig]:
    return at.next_sweeps(_cubes)


@st.cache_resource(max_entries=128, show_spinner=False)
def _cube(digest: str, _table: SweepResult) -> Cube:
    return cube_of(_table)


def of_depths(config: SweepConfig) -> dict[int, Cube | None]:
    """Return by depth what stands for this sweep at it, None where nothing is there."""
    found = {}
    for depth, candidates in _candidates(config.digest, config).items():
        tables = (finished_table(one.digest) for one in candidates)
        first = next((one for one in tables if one is not None), None)
        found[depth] = _cube(first.digest, first) if first is not None else None
    return found


def known_cube(config: SweepConfig) -> Cube | None:
    """Return the whole sweep by width, √hα and seed; None where it is not there."""
    found = finished_table(config.digest)
    return _cube(config.digest, found) if found is not None else None


def missing_depths(config: SweepConfig) -> list[SweepConfig]:
    """Return the sweeps at those depths of which nothing is there; not the chosen one."""
    there = of_depths(config)
    firsts = [c[0] for d, c in _candidates(config.digest, config).items() if there[d] is None]
    return [one for one in firsts if one.digest != config.digest]


@st.cache_resource(max_entries=16, show_spinner=False)
def _candidates(digest: str, _config: SweepConfig) -> dict[int, list[SweepConfig]]:
    return settings.of_depths(_config)


def ask_button(label: str, what: str, sweeps: Sequence[SweepConfig]) -> None:
    """Draw the button that asks for these sweeps, with what they are estimated to take."""
    if not sweeps:
        return
    runs = sum(len(one.cells) for one in sweeps)
    busy = any(_is_active(one) for one in sweeps)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"{label}: {runs} runs",
            icon=":material/play_arrow:",
            key=what,
            disabled=busy,
            on_click=ask,
            args=(what,),
        )
        seconds = sum(settings.estimate(one) for one in sweeps)
        st.caption(f"about {duration(seconds)} one after another on one slow core")


def _is_active(config: SweepConfig) -> bool:
    return is_active(queue().get(config.digest))
