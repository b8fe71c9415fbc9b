"""Feature or lazy: the phases over width and α."""

from pages.phases.controls import phase_controls
from pages.widgets.declared import PAPERS, Page

PAGE = Page(
    title="Feature or lazy",
    icon=":material/contrast:",
    order=7,
    group=PAPERS,
    controls=phase_controls,
    parameters=("p_",),
)
