"""Figures: the paper's figures, computed beside what it reports."""

from pages.figures.controls import figure_controls
from pages.widgets.declared import PAPERS, Page

PAGE = Page(
    title="Figures",
    icon=":material/auto_stories:",
    order=5,
    group=PAPERS,
    controls=figure_controls,
    parameters=("fig", "fig_"),
)
