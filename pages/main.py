"""The frame of every page: navigation, the controls that the page declares, expected errors."""

from collections.abc import Callable

import streamlit as st

from pages.widgets import (
    controls,
    datacontrols,
    figurecontrols,
    phasecontrols,
    refreshcontrols,
    selection,
    shelf,
    sweepcontrols,
    theoremcontrols,
)
from pages.widgets.browserhistory import keep_history
from pages.widgets.chart import fetch_plotly
from pages.widgets.handback import handed_back
from pages.widgets.linkcheck import checked_link, said_of_what_was_not_read
from pages.widgets.look import apply_look
from pages.widgets.sentences import said_in_a_sentence, show_link_error


def no_controls() -> None:
    """Draw nothing in the sidebar."""


st.set_page_config(page_title="Lazy Lab", page_icon="🦥", layout="wide")
apply_look()
keep_history()
fetch_plotly()
HOME = st.Page("home.py", title="Home", icon=":material/home:", default=True)
EXPLORE = st.Page("explore.py", title="Explore", icon=":material/tune:")
SWEEP = st.Page("sweep.py", title="Sweep", icon=":material/grid_on:")
PHASES = st.Page("phases.py", title="Feature or lazy", icon=":material/contrast:")
COMPARE = st.Page("compare.py", title="Compare", icon=":material/stacked_line_chart:")
FIGURES = st.Page("figures.py", title="Figures", icon=":material/auto_stories:")
THEOREMS = st.Page("theorems.py", title="Theorems", icon=":material/function:")
REFRESH = st.Page("refresh.py", title="Refresh", icon=":material/autorenew:")
RUNS = st.Page("runs.py", title="Runs", icon=":material/list:")
DATA = st.Page("data.py", title="Data", icon=":material/table_chart:")
# All controls that are bound to the address are drawn from here: bound in a page of its own
# file, a control loses its value on the way to another page and back.
CONTROLS: dict[str, Callable[[], None]] = {
    HOME.url_path: shelf.alpha_control,
    EXPLORE.url_path: controls.run_controls,
    SWEEP.url_path: sweepcontrols.run_controls,
    PHASES.url_path: phasecontrols.phase_controls,
    COMPARE.url_path: selection.compare_controls,
    FIGURES.url_path: figurecontrols.figure_controls,
    THEOREMS.url_path: theoremcontrols.theorem_controls,
    REFRESH.url_path: refreshcontrols.refresh_controls,
    RUNS.url_path: no_controls,
    DATA.url_path: datacontrols.data_controls,
}

PAGES = [HOME, EXPLORE, SWEEP, PHASES, REFRESH, COMPARE, FIGURES, THEOREMS, RUNS, DATA]
page = st.navigation(PAGES, position="top")
with said_in_a_sentence(), checked_link(page.url_path), handed_back(page.url_path):
    CONTROLS[page.url_path]()
show_link_error(said_of_what_was_not_read())
with said_in_a_sentence():
    page.run()
