"""Theorems: each statement beside what a run says of it."""

from pages.theorems.controls import theorem_controls
from pages.widgets.declared import PAPERS, Page

PAGE = Page(
    title="Theorems",
    icon=":material/function:",
    order=6,
    group=PAPERS,
    controls=theorem_controls,
    parameters=("t_",),
)
