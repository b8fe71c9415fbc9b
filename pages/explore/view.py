"""A run under its strip; until it has something to show, faded, the one that was there before."""

from html import escape

import streamlit as st

from lazycore.results.run import RunResult
from pages.widgets.ledger import named
from pages.widgets.panels import show_panels
from pages.widgets.progress import is_active
from pages.widgets.resources import finished, partial, queue
from pages.widgets.summary import is_first, show_summary

SHOWN = "run_shown"
"""What was drawn last: its digest, and the figure that stood first."""
FIRST_FIGURES = 2
FADED = """<style>.st-key-run_view { opacity: 0.4; }</style>"""


def run_before(digest: str) -> tuple[RunResult, str] | None:
    """Return the run that was on the page before this one, and the figure that stood first."""
    before, first = st.session_state.get(SHOWN, ("", ""))
    if not before or before == digest:
        return None
    result = finished(before)
    if result is None:
        result = partial(before, is_active(queue().get(before)))
    return (result, first) if result is not None else None


def has_begun(result: RunResult | None) -> bool:
    """Whether there is something to see of a run: on its way, more than its start."""
    return result is not None and (result.status != "running" or len(result.time) > 1)


def show_run(result: RunResult, first: str, log: bool) -> None:
    """Draw a run, the figure named `first` before the others.

    What a click is answered with is the first figures alone: the others follow with the next look,
    and the browser has them drawn sooner.
    """
    is_new = st.session_state.get(SHOWN, ("", ""))[0] != result.digest
    st.session_state[SHOWN] = (result.digest, first)
    most = FIRST_FIGURES if is_new and is_first(result) else None
    _view(result, first, log, faded=False, most=most)


def say_faded(before: RunResult) -> None:
    """Fade what is shown below, and say of which run it is."""
    label, _ = named(tuple(sorted((before.config or {}).items())))
    st.html(f"{FADED}<em>Faded below, until this one has begun: {escape(label)}.</em>")


def show_faded(before: RunResult, first: str, log: bool) -> None:
    """Draw the run of before, in the same places; `say_faded` says so."""
    _view(before, first, log, faded=True)


def _view(result: RunResult, first: str, log: bool, faded: bool, most: int | None = None) -> None:
    with st.container(key="run_view"):
        show_summary(result, "Before:" if faded else "This run:", faded)
        show_panels(result, "run", log, first, most)
