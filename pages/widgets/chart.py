"""A chart that is updated in place: zoom and hidden curves outlive new data.

`st.plotly_chart` draws anew on every change of the data, and with it goes the zoom. This
hands the figure to `Plotly.react`, on the one plotly.js that the server has from its wheel.
Titles are broken to the width of the chart; the cells of a heat map can be walked by keyboard.
"""

import json
from functools import cache
from importlib.metadata import version
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from pages.widgets import mapkeys, titles

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

LOAD = """
const load = (address) => globalThis.lazylabPlotly ??= new Promise((resolve, reject) => {
  const script = document.createElement("script");
  script.src = address;
  script.onload = () => resolve(globalThis.Plotly);
  script.onerror = () => { globalThis.lazylabPlotly = undefined; reject(script); };
  document.head.append(script);
});
"""

SCRIPT = """
const config = { responsive: true, displaylogo: false,
  toImageButtonOptions: { format: "svg", filename: "lazylab" } };
const NEVER = ["sendChartToCloud", "select2d", "lasso2d"];
const SPARED = ["zoomIn2d", "zoomOut2d", "autoScale2d"];  // where the chart is narrow
// One chart after the other, the first ones first: each is on the screen before the next is drawn.
const turns = () => globalThis.lazylabTurns = (globalThis.lazylabTurns ?? Promise.resolve())
  .then(() => new Promise((done) => setTimeout(done)));
const NARROW = 520, ONE_ROW = 28;

export default function ({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".lazylab-chart");
  const said = parentElement.querySelector(".lazylab-said");
  const { address } = data;
  const given = JSON.parse(data.figure);
  box.style.minHeight = `${given.layout.height}px`;
  box.setAttribute("role", "figure");
  box.setAttribute("aria-label", given.layout.meta.alt);
  const leave = () => { box.lazylabWatcher?.disconnect(); globalThis.Plotly?.purge(box); };
  const turn = box.lazylabTurn = (box.lazylabTurn ?? 0) + 1;  // what waits to be drawn is not
  if (box.lazylabDrawn === data.figure) return leave;  // looked at again, while nothing was new
  const choose = data.clicks ? (cell) => setTriggerValue("cell", cell) : undefined;
  const draw = async (Plotly, taller = 0) => {
    const width = box.lazylabWidth = box.clientWidth, narrow = width < NARROW;
    const figure = fit(JSON.parse(data.figure), width, narrow ? 4 : 7), { layout } = figure;
    const { t, b } = layout.margin, height = layout.height - t - b;
    layout.height += taller;
    if (layout.sliders) layout.margin.b += taller;
    box.style.minHeight = `${layout.height}px`;
    const modeBarButtonsToRemove = narrow ? [...NEVER, ...SPARED] : NEVER;
    await Plotly.react(box, { ...figure, config: { ...config, modeBarButtonsToRemove } });
    // A long legend takes its room from the drawing, or from the slider below it: give it back.
    const { _size, legend } = box._fullLayout;
    const lost = Math.round(layout.sliders ? (legend?._height ?? 0) - ONE_ROW : height - _size.h);
    if (narrow && !taller && lost > 12) await draw(Plotly, lost);
  };
  const watcher = new ResizeObserver(() => {
    if (globalThis.Plotly && box.lazylabWidth && box.clientWidth
      && box.clientWidth !== box.lazylabWidth) draw(globalThis.Plotly);
  });
  load(address).then(async (Plotly) => {
    await turns();
    if (!box.isConnected || turn !== box.lazylabTurn) return;
    await draw(Plotly);
    box.lazylabDrawn = data.figure;
    box.lazylabWatcher?.disconnect();
    box.lazylabWatcher = watcher;
    watcher.observe(box);
    walk(box, said, choose);
    box.removeAllListeners("plotly_afterplot");
    box.on("plotly_afterplot", () => frame(box));
    if (!choose) return;
    box.removeAllListeners("plotly_click");
    box.on("plotly_click", ({ points: [point] }) => {
      if (Array.isArray(point?.pointNumber)) choose(point.pointNumber);
    });
  }).catch(() => { box.textContent = "The charts could not be loaded; reload the page."; });
  return leave;
}
"""

_mount = component(
    "lazylab_chart",
    html='<div class="lazylab-chart"></div><p class="lazylab-said" role="status"></p>',
    css=CSS + mapkeys.CSS,
    js=titles.SCRIPT + mapkeys.SCRIPT + LOAD + SCRIPT,
    isolate_styles=False,
)


_fetch = component(
    "lazylab_plotly",
    html="<span></span>",
    js=LOAD + "export default ({ data }) => { load(data.address).catch(() => {}); };",
    isolate_styles=False,
)


def fetch_plotly() -> None:
    """Have the browser load what draws charts while there is none yet: it takes half a second."""
    with st.container(key="fetch"):
        _fetch(key="plotly", data={"address": _address()})


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
