"""Which figure of the paper is looked at, in which setting and size; all of it in the address."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lazycore.errors import ConfigError
from lazycore.papers.reproduction import Job, Reproduction, Setting, collect, find
from pages.widgets.choices import forget_what_is_gone, one_of, said_of_link
from pages.widgets.jobs import Part
from pages.widgets.progress import start_and_cancel

FIGURE, SETTING, SIZE, AXES = "fig", "fig_setting", "fig_size", "fig_axes"
FIRST = "1c"


@dataclass(frozen=True)
class Choice:
    """A figure, and what is computed for it; no setting where nothing is."""

    figure: Reproduction
    setting: Setting | None
    size: str
    log: bool

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The runs and sweeps behind it."""
        return self.setting.sizes[self.size].jobs if self.setting else ()


def figure_controls() -> None:
    """Draw the controls of the Figures page in the sidebar, bound to the address."""
    _check_link()
    with st.sidebar:
        names = list(collect())
        forget_what_is_gone(FIGURE, names)
        name = st.selectbox(
            "Figure of the paper", names, names.index(FIRST), key=FIGURE, bind="query-params"
        )
        one = find(name)
        if one.settings:
            settings = [setting.name for setting in one.settings]
            chosen = one_of(
                "Setting", settings, SETTING, "The authors' code, or what the paper's text says."
            )
            sizes = list(one.setting(chosen).sizes)
            one_of("Size", sizes, SIZE, "Quick: seconds to a few minutes. Full: as in the paper.")
        if one.x.log or one.y.log:
            one_of("Axes", ["log", "linear"], AXES, "Logarithmic where the paper's are.")


def chosen() -> Choice:
    """Return what the controls say, once they have been drawn."""
    state = st.session_state
    one = find(state[FIGURE])
    log = state.get(AXES, "log") == "log"
    if not one.settings:
        return Choice(one, None, "", log)
    return Choice(one, one.setting(state[SETTING]), state[SIZE], log)


def link_error() -> str:
    """Return what is wrong with the link that opened the page, until a control is touched."""
    return said_of_link("figure", (FIGURE, SETTING, SIZE))


def _check_link() -> None:
    """Read the link before any control does: what one cannot hold it drops from the address."""
    if "figure_wrong" in st.session_state:
        return
    asked, st.session_state.figure_wrong = st.query_params.to_dict(), ""
    try:
        one = find(asked.get(FIGURE, FIRST))
        if one.settings:
            setting = one.setting(asked.get(SETTING, one.settings[0].name))
            one.size(setting.name, asked.get(SIZE, next(iter(setting.sizes))))
    except ConfigError as error:
        st.session_state.figure_wrong = str(error)


COMPUTE = "compute_figure"
MISSING = "press **Compute**; what is reported is shown already."


def toolbar(parts: Sequence[Part]) -> None:
    """Draw Compute and Cancel, where the figure is computed at all."""
    if not parts:
        return
    active, whole = any(p.active for p in parts), all(p.whole for p in parts)
    missing = sum(total - done for done, total in (p.runs for p in parts))
    label = f"Compute {missing} run{'s' * (missing != 1)}" if missing else "Computed"
    with st.container(horizontal=True, vertical_alignment="center"):
        start_and_cancel(label, COMPUTE, active, done=whole)
