"""Records from files: shown, and those of own modules kept, so that a link opens them again."""

from urllib.parse import urljoin

import streamlit as st

from lazycore.errors import ResultNotFound
from lazycore.results.run import RunResult
from lazycore.results.store import checked_digest
from pages.widgets.known import run_name, verdict_of
from pages.widgets.ledger import show_link
from pages.widgets.links import page_address
from pages.widgets.panels import show_panels
from pages.widgets.progress import link
from pages.widgets.resources import finished, opened_record, store
from pages.widgets.summary import show_summary

RUN = "run"
"""The parameter of the address that names the run that the page shows."""


def address_of(digest: str) -> str:
    """Return the address at which the Runs page shows this run."""
    return page_address("runs", **{RUN: digest})


def show_linked() -> None:
    """Draw the run that the address names, nothing where it names none."""
    digest = st.query_params.get(RUN)
    if not digest:
        return
    result = finished(checked_digest(digest))
    if result is None:
        raise ResultNotFound(f"No result of run {digest} is stored; open its file again.")
    show_summary(result, f"{run_name(result.config, digest)}:")
    _ways_on(result)
    show_panels(result, "linked", log=True)


def show_file() -> None:
    """Draw the way to open a file, and what is in it."""
    st.header("Open a file")
    file = st.file_uploader(
        "A record that `python -m lazycore run --out`, `RunResult.save` or `lazycore.compare` "
        "wrote",
        type="npz",
        key="file",
    )
    if file is None:
        return
    result = opened_record(file.getvalue())
    show_summary(result, "This file:")
    if result.config is None and result.digest not in store():
        st.button(
            "Keep it",
            key="keep",
            icon=":material/bookmark:",
            help="It then has a link that opens it again, and can be compared like other runs.",
            on_click=store().put_own,
            args=(result,),
        )
    elif finished(result.digest) is not None:
        _ways_on(result)
    show_panels(result, "file", log=True)


def show_own() -> None:
    """Draw the runs of own modules that are kept, each with its link."""
    kept = [digest for digest in store().digests("own:") if digest in store()]
    if not kept:
        return
    st.header("Own modules")
    for digest in reversed(kept):
        what, verdict, action = st.columns([3.4, 1.3, 5.0], vertical_alignment="center")
        with what:
            show_link(run_name(None, digest), address_of(digest))
        verdict.markdown(verdict_of(digest))
        action.button(
            "Delete", key=f"delete_{digest}", type="tertiary", on_click=_forget, args=(digest,)
        )


def _forget(digest: str) -> None:
    store().delete(digest)


def _ways_on(result: RunResult) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        link("Opens this run again.", urljoin(st.context.url or "", address_of(result.digest)))
        show_link("Compare it with others", page_address("compare", runs=result.digest))
