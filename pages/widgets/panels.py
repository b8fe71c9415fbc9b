"""Figures on a page: each with its numbers, a page that stands alone, and its code."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from lazycore.figures import Panel, export, overlay, panels_of
from lazycore.figures.style import Figure
from lazycore.results.groups import Group
from lazycore.results.run import RunResult
from pages.widgets.chart import chart


def show_panels(
    result: RunResult, key: str, log: bool, first: str = "", most: int | None = None
) -> None:
    """Draw every figure that the run has the quantities for, side by side.

    first: the name of one that stands before the others, across the page. most: how many, all
    where it is left out.
    """
    shown, columns = panels_of(result), 2
    shown = sorted(shown, key=lambda panel: panel.name != first)[:most]
    with st.container():  # always there, so that what is below it stays the same element
        for panel in shown:
            if panel.name == first:
                show_panel(panel, result, key, log)
    shown = [panel for panel in shown if panel.name != first]
    for start in range(0, len(shown), columns):
        row = st.columns(columns, gap="medium")
        for place, panel in zip(row, shown[start : start + columns], strict=False):
            with place:
                show_panel(panel, result, key, log)


def show_panel(panel: Panel, result: RunResult, key: str, log: bool) -> None:
    """Draw one figure of a run, with what can be taken away of it."""
    name = f"{key}_{panel.name}"
    figure = panel.draw(result, log)
    chart(figure, key=f"chart_{name}", revision=f"{result.digest}-{log}")
    take_away(figure, name, _code(result.digest, f"{panel.name}.figure", result))


def show_several(
    figure: Figure, results: Sequence[RunResult], name: str, call: str, drawn: bool = True
) -> None:
    """Draw a figure of several runs, or only what can be taken away of one drawn elsewhere."""
    if drawn:
        chart(figure, key=f"chart_{name}", revision="-".join(r.digest for r in results))
    take_away(figure, name, _code_over_alpha(tuple(r.digest for r in results), call, results))


def show_overlay(groups: Sequence[Group], name: str, log: bool) -> None:
    """Draw one curve of several groups of runs, with what can be taken away of it."""
    runs = [run for group in groups for run in group.runs]
    digests = tuple(run.digest for run in runs)
    figure = overlay.figure(groups, name, log)
    chart(figure, f"chart_compare_{name}", f"{'-'.join(digests)}-{log}")
    take_away(figure, f"compare_{name}", _code_of_several(digests, name, runs))


def take_away(figure: Figure, name: str, code: str) -> None:
    """Draw the row below a figure: its numbers, a page that stands alone, its code."""
    with st.container(horizontal=True, gap="small", key=f"take_{name}"):
        _download("CSV", partial(export.csv, figure), f"{name}.csv", "text/csv")
        _download("HTML", partial(export.html, figure), f"{name}.html", "text/html")
        with st.popover("Code", type="tertiary", key=f"code_{name}"):
            st.code(code, language="python")


def _download(label: str, data: Callable[[], str], name: str, mime: str) -> None:
    # The data is a function: it is called on the click, not whenever the page is drawn.
    st.download_button(
        label, data, file_name=name, mime=mime, type="tertiary", key=name, on_click="ignore"
    )


@st.cache_data(max_entries=500, show_spinner=False)
def _code(digest: str, call: str, _result: RunResult) -> str:
    return export.code(_result.config, call)


@st.cache_data(max_entries=50, show_spinner=False)
def _code_over_alpha(digests: tuple[str, ...], call: str, _results: Sequence[RunResult]) -> str:
    configs = [result.config for result in _results if result.config]
    return export.code_over_alpha(configs, call)


@st.cache_data(max_entries=50, show_spinner=False)
def _code_of_several(digests: tuple[str, ...], name: str, _results: Sequence[RunResult]) -> str:
    return export.code_of_several([r.config for r in _results if r.config], name)
