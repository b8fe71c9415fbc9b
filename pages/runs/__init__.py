"""Runs: every run there is, and what became of it."""

from pages.widgets.declared import KEEP, Page

PAGE = Page(
    title="Runs",
    icon=":material/list:",
    order=9,
    group=KEEP,
    parameters=("run",),
    without_control=("run",),
)
