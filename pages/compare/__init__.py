"""Compare: runs and groups of runs over each other."""

from pages.compare.controls import compare_controls
from pages.widgets.declared import Page

PAGE = Page(
    title="Compare",
    icon=":material/stacked_line_chart:",
    order=4,
    controls=compare_controls,
    parameters=("runs", "figures", "by_seed", "compare_"),
)
