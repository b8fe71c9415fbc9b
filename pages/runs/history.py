"""The runs that have ended, as rows that can be searched and put in order."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

from lazycore.errors import brief
from lazycore.results.verdict import WORDS
from lazycore.service.queue import Job
from pages.widgets import known, ledger
from pages.widgets.sentences import plain
from pages.widgets.summary import COLORS

PAGE_ROWS = 25
FEWEST_DIGITS = 4
"""Of a digest that are searched: fewer are in many of them."""
WIDTHS = [3.4, 1.3, 1.0, 1.6, 0.8, 1.6]
SEARCH, SORT, PAGE = "history_search", "history_sort", "history_page"


@dataclass(frozen=True)
class Row:
    """A job that has ended, with its name, the address that opens it and its verdict."""

    job: Job
    name: str
    address: str
    verdict: str

    def has(self, word: str) -> bool:
        """Whether a word in small letters is in what the row says, or begins its digest."""
        by_digest = len(word) >= FEWEST_DIGITS and self.job.digest.startswith(word)
        return by_digest or word in f"{self.name} {self.verdict} {self.job.state}".lower()


def _by_size(name: str) -> list[tuple[float, str]]:
    """Return a name so that its numbers are put in order by size, not by their digits."""
    parts = re.split(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)", name)
    return [(float(part) if i % 2 else math.inf, part) for i, part in enumerate(parts)]


def _place(verdict: str) -> int:
    return WORDS.index(verdict) if verdict in WORDS else len(WORDS) + (not verdict)


SORTS: dict[str, Callable[[Row], tuple]] = {
    "newest first": lambda row: (-(row.job.finished_at or 0.0),),
    "oldest first": lambda row: (row.job.finished_at or 0.0,),
    "name": lambda row: (_by_size(row.name),),
    "verdict": lambda row: (_place(row.verdict), row.verdict, _by_size(row.name)),
}


def rows_of(jobs: Sequence[Job], search: str, sort: str) -> list[Row]:
    """Return the jobs as rows in this order, those in which every word of the search is."""
    said = known.verdicts(jobs)
    rows = [Row(job, *ledger.titled(job), said.get(job.digest, "")) for job in jobs]
    wanted = search.lower().split()
    found = [row for row in rows if all(map(row.has, wanted))]
    return sorted(found, key=SORTS.get(sort, SORTS["newest first"]))


def show_history(jobs: Sequence[Job]) -> None:
    """Draw the runs that have ended, a page of them at a time, with their search and order."""
    st.header("History")
    if not jobs:
        st.caption("No run has ended yet.")
        return
    search, sort, page = st.columns([3, 1.3, 1.0], vertical_alignment="bottom")
    text = search.text_input(
        "Search", key=SEARCH, placeholder="sine width 64 lazy …", max_chars=200
    )
    order = sort.selectbox("Order", list(SORTS), key=SORT)
    rows = rows_of(jobs, text or "", order)
    pages = max(1, -(-len(rows) // PAGE_ROWS))
    st.session_state[PAGE] = min(int(st.session_state.get(PAGE) or 1), pages)
    number = int(page.number_input(f"Page of {pages}", 1, pages, key=PAGE))
    st.caption(f"{len(rows)} of {len(jobs)} runs and sweeps" if text else f"{len(rows)} in all")
    on_page = rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    said = known.verdicts([row.job for row in on_page])
    for row in on_page:
        _show(row, said.get(row.job.digest, ""))
    ledger.show_comparison()


def _show(row: Row, said: str) -> None:
    job = row.job
    what, verdict, state, when, device, action = st.columns(WIDTHS, vertical_alignment="center")
    with what:
        ledger.show_link(row.name or job.digest, row.address)
        if job.message:
            st.caption(plain(brief(job.message)))
    verdict.markdown(_coloured(said))
    state.markdown(ledger.badge(job))
    when.caption(ledger.ended(job))
    device.caption(job.device or "–")
    with action.container(horizontal=True, gap="small"):
        ledger.show_actions(job)


def _coloured(verdict: str) -> str:
    """Return a verdict in its colour, the counts of a sweep's as they are, a dash for none."""
    color = COLORS.get(verdict)
    return f":{color}[**{verdict}**]" if color else escape(verdict) or "–"
