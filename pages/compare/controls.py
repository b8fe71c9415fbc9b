"""Which runs are compared, by their names in the address, and what of them is drawn."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError, ResultNotFound
from lazycore.figures import overlay
from lazycore.papers.ours import home
from lazycore.results.cellgroups import cells_at, parsed
from lazycore.results.groups import Group, grouped
from pages.compare import chooser
from pages.widgets.resources import finished, finished_table, store

RUNS, FIGURES, SEEDS, AXES = "runs", "figures", "by_seed", "compare_axes"
MOST_RUNS = 60
"""Runs in one link, groups and all: each is read from disk."""


def compare_controls() -> None:
    """Draw the controls of the Compare page in the sidebar, bound to the address."""
    if RUNS not in st.session_state and RUNS not in st.query_params:
        st.session_state[RUNS] = st.query_params[RUNS] = ",".join(_shipped())
    with st.sidebar:
        chooser.picker(_written(), _take)
        st.text_input(
            "Their names in the link, by commas",
            key=RUNS,
            max_chars=MOST_RUNS * 66,
            help="A run is named by sixteen hex digits, the same everywhere; cells of a sweep by "
            "its digits and what they have in common, as in `0123456789abcdef:width=50`.",
            bind="query-params",
        )
        st.toggle(
            "Seeds as one group",
            value=True,
            key=SEEDS,
            help="Runs that differ in their seeds only become a median, in a band from three on.",
            bind="query-params",
        )
        st.multiselect(
            "Figures",
            list(overlay.CURVES),
            default=list(overlay.USUAL),
            key=FIGURES,
            bind="query-params",
        )
        st.segmented_control(
            "Axes", ("log", "linear"), default="log", key=AXES, bind="query-params", required=True
        )


def chosen_groups() -> list[Group]:
    """Return the chosen runs as groups; an error says in a sentence which of them is not there.

    Of a sweep's cells those that are not there are left out, and how many is said.
    """
    results, missing = [], 0
    for name in names():
        digests, is_sweep = _runs_of(name)
        found = [result for digest in digests if (result := finished(digest))]
        missing += len(digests) - len(found)
        if not found or (missing and not is_sweep):
            raise ResultNotFound(_not_there(name, is_sweep))
        results += found
        _check_count(len(results))
    if missing:
        st.caption(f"{missing} of the sweep's runs are not stored, and so are not compared.")
    return grouped(results, by_seed=bool(st.session_state.get(SEEDS, True)))


def names() -> list[str]:
    """Return what is named in the box, each once: digests, or cells of sweeps."""
    found = _written()
    _check_count(len(found))
    for name in found:
        parsed(name)
    return found


def chosen_curves(groups: Sequence[Group]) -> list[str]:
    """Return the names of the chosen figures that some of these runs have the quantities for."""
    chosen = st.session_state.get(FIGURES) or ()
    return [name for name in chosen if overlay.shows(groups, overlay.CURVES[name])]


def log_axes() -> bool:
    """Whether the axes are to be logarithmic."""
    return st.session_state.get(AXES, "log") == "log"


def _runs_of(name: str) -> tuple[list[str], bool]:
    """Return the digests of the runs that a name stands for, and whether it is of a sweep."""
    digest, parts = parsed(name)
    if not parts and finished(digest) is not None:
        return [digest], False
    config = _sweep_of(digest)
    if config is None:
        return [digest], bool(parts)
    return [cell.digest for cell in cells_at(config, parts)], True


def _sweep_of(digest: str) -> SweepConfig | None:
    table = finished_table(digest)
    if table is not None:
        return table.config
    with suppress(ResultNotFound):
        return store().get_partial_sweep(digest).config
    return None


def _not_there(name: str, is_sweep: bool) -> str:
    if is_sweep:
        return f"No run of {name} is stored; sweep again to compare its runs."
    return f"No result of run {name} is stored; run it to compare it."


def _check_count(count: int) -> None:
    if count > MOST_RUNS:
        raise ConfigError(f"{count} runs are too many for one page: give at most {MOST_RUNS}.")


def _written() -> list[str]:
    text = str(st.session_state.get(RUNS) or st.query_params.get(RUNS) or "")
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _take() -> None:
    """Write what was picked into the box, which is what the page and the link go by."""
    st.session_state[RUNS] = ",".join(st.session_state[chooser.PICKED])


def _shipped() -> list[str]:
    runs = [home.nearest(alpha) for alpha in home.REGIMES]
    return [run.digest for run in runs if run is not None]
