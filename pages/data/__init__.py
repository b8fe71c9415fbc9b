"""Data: tables and images of your own."""

from pages.data.controls import data_controls
from pages.widgets.declared import KEEP, Page

PAGE = Page(
    title="Data",
    icon=":material/table_chart:",
    order=10,
    group=KEEP,
    controls=data_controls,
    parameters=("d_",),
)
