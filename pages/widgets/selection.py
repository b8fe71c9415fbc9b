"""Which runs are compared, as digests in the address, and what of them is drawn."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from lazycore import atlas
from lazycore.errors import ConfigError, LazyLabError, ResultNotFound
from lazycore.figures import overlay
from lazycore.groups import Group, grouped
from lazycore.results import RunResult
from lazycore.store import checked_digest
from pages.widgets.ledger import MOST_ROWS, named
from pages.widgets.resources import finished, queue

RUNS, FIGURES, SEEDS, AXES = "runs", "figures", "by_seed", "compare_axes"
MOST_RUNS = 60
"""Runs in one link, groups and all: each is read from disk."""


def compare_controls() -> None:
    """Draw the controls of the Compare page in the sidebar, bound to the address."""
    if RUNS not in st.session_state and RUNS not in st.query_params:
        st.session_state[RUNS] = st.query_params[RUNS] = ",".join(_shipped())
    with st.sidebar:
        _picker()
        st.text_input(
            "Their digests, by commas",
            key=RUNS,
            max_chars=MOST_RUNS * 66,
            help="A run is named by sixteen hex digits, the same everywhere.",
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
    """Return the chosen runs as groups; an error says in a sentence which of them is not there."""
    results = [_result(digest) for digest in digests()]
    return grouped(results, by_seed=bool(st.session_state.get(SEEDS, True)))


def digests() -> list[str]:
    """Return the digests in the box, each once."""
    text = str(st.session_state.get(RUNS) or "")
    found = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if len(found) > MOST_RUNS:
        raise ConfigError(f"{len(found)} runs are too many for one page: give at most {MOST_RUNS}.")
    return [checked_digest(digest) for digest in found]


def chosen_curves(groups: Sequence[Group]) -> list[str]:
    """Return the names of the chosen figures that some of these runs have the quantities for."""
    chosen = st.session_state.get(FIGURES) or ()
    return [name for name in chosen if overlay.shows(groups, overlay.CURVES[name])]


def log_axes() -> bool:
    """Whether the axes are to be logarithmic."""
    return st.session_state.get(AXES, "log") == "log"


def _result(digest: str) -> RunResult:
    result = finished(digest)
    if result is None:
        raise ResultNotFound(f"No result of run {digest} is stored; run it to compare it.")
    return result


def _picker() -> None:
    """Draw a choice among the runs at hand, that writes into the box of digests."""
    at_hand = {job.digest: job.config for job in queue().list(MOST_ROWS) if job.state == "done"}
    at_hand = {digest: fields for digest, fields in at_hand.items() if "axes" not in fields}
    at_hand |= {run.digest: dict(run.config or {}) for run in atlas.runs()}
    box = str(st.session_state.get(RUNS) or st.query_params.get(RUNS) or "")
    written = [part.strip() for part in box.split(",") if part.strip()]
    for digest in written:
        if digest not in at_hand:
            with suppress(LazyLabError):  # the page says it
                result = finished(checked_digest(digest))
                at_hand[digest] = dict(result.config or {}) if result else {}
    options = list(dict.fromkeys([*written, *at_hand]))
    st.session_state["picked"] = list(dict.fromkeys(written))
    st.multiselect(
        "Runs",
        options,
        format_func=lambda digest: _said(digest, at_hand.get(digest)),
        key="picked",
        on_change=_take,
        placeholder="choose runs",
    )


def _take() -> None:
    """Write what was picked into the box, which is what the page and the link go by."""
    st.session_state[RUNS] = ",".join(st.session_state["picked"])


def _said(digest: str, fields: dict | None) -> str:
    label = named(tuple(sorted(fields.items())))[0] if fields else ""
    if not label or not fields:
        return digest[:16]
    # α first and always: what is narrow shows the first words only.
    rest = [part for part in label.split(" · ") if not part.startswith("α")]
    return " · ".join([f"α = {fields['alpha']:g}", *rest])


def _shipped() -> list[str]:
    runs = [atlas.nearest(alpha) for alpha in atlas.REGIMES]
    return [run.digest for run in runs if run is not None]
