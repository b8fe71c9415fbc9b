"""A sweep spelled out: as a link that opens it, and as a command line that computes it."""

import shlex
from typing import Literal
from urllib.parse import urljoin

import streamlit as st

from lazycore.config.sweep import SweepConfig
from lazycore.figures import heatmap
from lazycore.results.plane import ordered
from pages.widgets.links import page_address
from pages.widgets.sweepview import View, rows_of

CELL = "s_cell"
"""The parameter of the address that names the chosen cell by one of its runs."""


def link(config: SweepConfig, view: View | None = None, cell: str = "") -> str:
    """Return the address of this sweep, its fields spelled as on the command line."""
    shown = (view.text if view else {}) | ({"cell": cell} if cell else {})
    return page_address("sweep", **config.to_text() | shown, v="1")


def whole_link(config: SweepConfig, view: View) -> str:
    """Return the address as it can be sent to someone: with the server's name, and the cell."""
    return urljoin(st.context.url or "", link(config, view, st.query_params.get(CELL, "")))


def command(config: SweepConfig) -> str:
    """Return the command line that computes the sweep into a file."""
    flags = [f"--{k.replace('_', '-')} {shlex.quote(v)}" for k, v in config.to_text().items()]
    return f"python -m lazycore sweep {' '.join(flags)} --out sweep.npz"


def show_command(config: SweepConfig) -> None:
    """Draw the command line behind a button."""
    with st.popover("Code", icon=":material/code:"):
        st.caption("The same sweep on the command line.")
        st.code(command(config), language="bash", wrap_lines=True)


def code(config: SweepConfig, view: View, what: Literal["map", "lines"]) -> str:
    """Return the command line, and Python, that reproduce the map or the lines of a sweep."""
    levels = heatmap.parse_levels(view.levels, view.quantity)
    rows = rows_of(view, ordered(config.axes[view.y]) if view.y else (None,))
    call = {
        "map": f"heatmap.figure(plane, {levels}, base['loss'])",
        "lines": f"bands.figure(plane, {rows}, base, lazy_from=lazy_from)",
    }[what]
    axes = [view.x, view.y]
    places = ", ".join(repr(part) for part in (*axes, view.quantity, view.fixed) if part != {})
    lazy = ", ".join(repr(part) for part in (*axes, view.fixed) if part != {})
    along = [f"lazy_from = onset.along(frame, config.axes, {lazy})"] if what == "lines" else []
    lines = [
        f"# {command(config)}",
        "import lazycore",
        "import plotly.graph_objects as go",
        *(["from lazycore.results import onset"] if along else []),
        f"from lazycore.figures import {call.split('.')[0]}",
        "from lazycore.results.plane import plane_of",
        "",
        f"config = lazycore.SweepConfig.from_text({config.to_text()})",
        "base, frame = config.base.resolve().to_dict(), lazycore.sweep(config).frame",
        f"plane = plane_of(frame, config.axes, {places})",
        *along,
        f"go.Figure({call}).show()",
    ]
    return "\n".join(lines)
