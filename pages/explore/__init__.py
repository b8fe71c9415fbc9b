"""Explore: one run and its linearisation, with every field under the hand."""

from pages.explore.controls import run_controls
from pages.widgets.declared import Page

PAGE = Page(
    title="Explore",
    icon=":material/tune:",
    order=2,
    controls=run_controls,
    parameters=("axes", "auto"),
    checks_link=True,
    reads_fields=True,
)
