"""Refresh: features taken anew every K steps."""

from pages.refresh.controls import refresh_controls
from pages.widgets.declared import PAPERS, Page

PAGE = Page(
    title="Refresh",
    icon=":material/autorenew:",
    order=8,
    group=PAPERS,
    controls=refresh_controls,
    parameters=("r_",),
)
