"""Sweep: one quantity over a plane of two fields, and where runs get lazy."""

from pages.sweep.controls import run_controls
from pages.widgets.declared import Page

PAGE = Page(
    title="Sweep",
    icon=":material/grid_on:",
    order=3,
    controls=run_controls,
    parameters=("s_",),
    checks_link=True,
)
