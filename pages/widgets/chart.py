"""A chart that is updated in place: zoom and hidden curves outlive new data.

`st.plotly_chart` draws anew on every change of the data, and with it goes the zoom. This
hands the figure to `Plotly.react`, on the one plotly.js that the server has from its wheel.
"""

import json
from functools import cache
from importlib.metadata import version
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

CSS = """
.lazylab-chart { width: 100%; }
.lazylab-chart .main-svg text:not(.hovertext text):not(.slider-labels text):not(.textpoint text) {
  fill: var(--st-text-color) !important;
}
.lazylab-chart .slider-labels text { display: none; }
.lazylab-chart .hoverlayer .legend .bg { fill: var(--st-background-color) !important;
  fill-opacity: 0.95 !important; stroke: var(--st-border-color) !important; }
.lazylab-chart .updatemenu-item-rect { fill: var(--st-secondary-background-color) !important;
  stroke: var(--st-border-color) !important; }
.lazylab-chart .modebar-btn path { fill: var(--st-text-color) !important; }
.lazylab-chart .modebar-group { background: none !important; }
"""

SCRIPT = """
const load = (address) => globalThis.lazylabPlotly ??= new Promise((resolve, reject) => {
  const script = document.createElement("script");
  script.src = address;
  script.onload = () => resolve(globalThis.Plotly);
  script.onerror = () => { globalThis.lazylabPlotly = undefined; reject(script); };
  document.head.append(script);
});
const config = { responsive: true, displaylogo: false,
  modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d"],
  toImageButtonOptions: { format: "svg", filename: "lazylab" } };

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".lazylab-chart");
  const { address } = data;
  const figure = JSON.parse(data.figure);
  box.style.minHeight = `${figure.layout.height}px`;
  box.setAttribute("role", "figure");
  box.setAttribute("aria-label", figure.layout.meta.alt);
  box.lazylabTurn = (box.lazylabTurn ?? 0) + 1;
  const turn = box.lazylabTurn;
  load(address).then((Plotly) => {
    if (!box.isConnected || turn !== box.lazylabTurn) return;
    Plotly.react(box, { ...figure, config });
    if (!data.clicks) return;
    box.removeAllListeners("plotly_click");
    box.on("plotly_click", ({ points: [point] }) => {
      if (Array.isArray(point?.pointNumber)) setTriggerValue("cell", point.pointNumber);
    });
  }).catch(() => { box.textContent = "The charts could not be loaded; reload the page."; });
  return () => globalThis.Plotly?.purge(box);
}
"""

_mount = component(
    "lazylab_chart",
    html='<div class="lazylab-chart"></div>',
    css=CSS,
    js=SCRIPT,
    isolate_styles=False,
)


def chart(figure: dict[str, Any], key: str, revision: str = "") -> None:
    """Draw the figure; while `key` and `revision` stay, new data keeps the view of the old."""
    _mount(key=key, data=_data(figure, revision or key) | {"clicks": False})


def map_chart(figure: dict[str, Any], key: str, revision: str = "") -> None:
    """Draw a figure whose heat map can be clicked: `clicked` says which cell was."""
    data = _data(figure, revision or key) | {"clicks": True}
    _mount(key=key, data=data, on_cell_change=lambda: None)


def clicked(key: str) -> tuple[int, int] | None:
    """Return the (row, column) of the map `key` that this drawing of the page is about."""
    cell = (st.session_state.get(key) or {}).get("cell")
    return (int(cell[0]), int(cell[1])) if cell else None


def _data(figure: dict[str, Any], revision: str) -> dict[str, Any]:
    layout = figure["layout"] | {"uirevision": revision}
    # As text: streamlit encodes what it is given several times over.
    text = json.dumps(figure | {"layout": layout}, separators=(",", ":"))
    return {"figure": text, "address": _address()}


@cache
def _address() -> str:
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}/assets/plotly.min.js?v={version('plotly')}"
