"""How every figure looks: colours by meaning, axes with units, marks for a run that ended early.

Figures are plain dicts of plotly's schema, a few times cheaper to send than `go.Figure`. The
network is a solid blue line, its linearisation a dashed vermillion one, in every figure; the
colours are those of Okabe & Ito that keep a contrast of 3 on white and on near-black, so
that one figure serves both themes. Text is left to the page's own colour.
"""

from typing import Any

import numpy as np

from lazycore.config import spec
from lazycore.results.run import RunResult

Figure = dict[str, Any]
Trace = dict[str, Any]

BLUE, VERMILLION, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A8F98"
MODELS = {
    "nonlinear": {"name": "network", "color": BLUE, "dash": "solid", "symbol": "circle"},
    "linearized": {"name": "linearisation", "color": VERMILLION, "dash": "5px,4px", "symbol": "x"},
}
REFRESHED = {
    "name": "iterative linearisation",
    "color": GREEN,
    "dash": "9px,3px,2px,3px",
    "symbol": "diamond",
}
LOOKS = MODELS | {"refreshed": REFRESHED}
"""Both models, and the third path, which only some runs have."""
VERDICTS = {"lazy": GREEN, "crossover": PURPLE, "rich": VERMILLION, "undecided": GREY}
INK = "#4B5563"
"""Text of a figure that stands outside the app, where no page gives it a colour."""
GRID = "rgba(128,128,128,0.18)"
MOST_POINTS = 300
MOST_DECADES = 8
"""Decades that a logarithmic axis shows at most: rounding noise is not worth the room."""
MOST_LABELS = 6

USUAL_LOSS = "square"
"""That of a run of one's own module whose record does not say."""

ENDINGS = {
    "diverged": "diverged",
    "cancelled": "cancelled: a partial run",
    "budget": "ended on its budget: a partial run",
}


def numbers(values: Any) -> list[Any]:
    """Return an array as nested lists, null where there is no finite number."""
    values = np.asarray(values, dtype=float)
    if values.ndim > 1:
        return [numbers(row) for row in values]
    return [v if ok else None for v, ok in zip(values.tolist(), np.isfinite(values), strict=True)]


def words(text: Any) -> str:
    """Return words of others as they may stand in a figure: plotly would follow their markup."""
    return str(text).replace("<", "‹")


def reach(values: Any) -> float:
    """Return the size of the largest finite number of an array, 0 where there is none."""
    values = np.asarray(values, dtype=float)
    return float(np.max(np.abs(values), where=np.isfinite(values), initial=0.0))


def thinned(length: int, most: int = MOST_POINTS) -> np.ndarray:
    """Return at most `most` indices into `length` points, evenly spread, both ends among them."""
    if length <= most:
        return np.arange(length)
    return np.unique(np.linspace(0, length - 1, most).round().astype(int))


def line(x: np.ndarray, y: np.ndarray, name: str, *, log: bool = False, **style: Any) -> Trace:
    """Return one line of at most 300 points; on log axes the points that have no logarithm go."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if log:
        kept = (x > 0.0) & ~(y <= 0.0)
        x, y = x[kept], y[kept]
    index = thinned(len(x))
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": numbers(x[index]),
        "y": numbers(y[index]),
        "hovertemplate": "%{y:.4g}",
        **style,
    }


def model_line(
    model: str, x: np.ndarray, y: np.ndarray, *, what: str = "", log: bool = False, **style: Any
) -> Trace:
    """Return a line of one of the models, in that model's colour and dash."""
    look = LOOKS[model]
    name = f"{look['name']}, {what}" if what else look["name"]
    stroke = {"color": look["color"], "dash": look["dash"], "width": 2.5} | style.pop("line", {})
    return line(x, y, name, log=log, line=stroke, **style)


def with_marks(trace: Trace, symbol: str) -> Trace:
    """Return the line with a mark here and there, so that it is told without colour."""
    look = {
        "symbol": symbol,
        "size": 6,
        "maxdisplayed": 16,
        "color": trace["line"]["color"],
        "line": {"width": 0},
    }
    return trace | {"mode": "lines+markers", "marker": look}


def axis(title: str, log: bool = False, **more: Any) -> dict[str, Any]:
    """Return an axis; its title names the quantity and its unit."""
    return {
        "title": {"text": title, "standoff": 6, "font": {"size": 13}},
        "type": "log" if log else "linear",
        "exponentformat": "power",
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": GREY,
        "ticks": "outside",
        "tickcolor": GRID,
        "automargin": True,
    } | more


def figure(
    data: list[Trace],
    *,
    title: str,
    subtitle: str,
    x: dict[str, Any],
    y: dict[str, Any],
    alt: str,
    height: int = 380,
    **more: Any,
) -> Figure:
    """Return a whole figure. `alt` says in words what it shows, for those who cannot see it."""
    layout = {
        "title": {
            "text": title,
            "subtitle": {"text": subtitle, "font": {"size": 12.5}},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 6, "l": 2},
            "font": {"size": 16, "weight": 600},
        },
        "font": {"size": 13, "color": INK, "family": "Source Sans, Helvetica, Arial, sans-serif"},
        "height": height,
        "margin": {"l": 62, "r": 14, "t": 62, "b": 92},
        "legend": {
            "orientation": "h",
            "x": 0.5,
            "xref": "container",
            "xanchor": "center",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "font": {"size": 12},
        },
        "hoverlabel": {"bgcolor": "rgba(255,255,255,0.94)"},
        "hovermode": "x unified",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": x,
        "yaxis": y,
        "meta": {"alt": alt},
    }
    layout |= more
    for name in [key for key in layout if key.startswith(("xaxis", "yaxis"))]:
        if layout[name]["type"] == "log":
            layout[name] = _decades(data, name) | layout[name]
    return {"data": data, "layout": layout}


def _decades(data: list[Trace], name: str) -> dict[str, Any]:
    """Return the ticks, and where it would be too long the range, of a logarithmic axis."""
    letter, anchor = name[0], name.replace("axis", "")
    own = [t[letter] for t in data if t.get(f"{letter}axis", letter) == anchor]
    values = np.array([v for column in own for v in column if v is not None and v > 0.0])
    if not values.size:
        return {}
    low, high = np.log10(values.min()), np.log10(values.max())
    # So many that plotly labels whole decades where there are several, 2 and 5 too between
    # one and two; zooming in, it finds finer ones by itself.
    shown = min(high - low, MOST_DECADES)
    share = 0.75 if shown > 2.2 else 0.4 if shown > 1.0 else 0.2
    ticks = {"nticks": int(min(MOST_LABELS, max(2, shown / share)))}
    cut = {"range": [high - MOST_DECADES, high + 0.3]} if high - low > MOST_DECADES else {}
    return ticks | cut


def time_axis(log: bool, **more: Any) -> dict[str, Any]:
    """Return the axis that all curves over a run share."""
    return axis("flow time t", log, **more)


def note(text: str, **where: Any) -> dict[str, Any]:
    """Return a remark that stands inside the figure, by default in its upper right corner."""
    place = {"xref": "paper", "yref": "paper", "x": 1, "y": 1, "xanchor": "right"}
    return (
        {"text": text, "showarrow": False, "yanchor": "top", "font": {"size": 12}} | place | where
    )


def level(y: float) -> dict[str, Any]:
    """Return a dotted horizontal line across the figure at this height."""
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "yref": "y",
        "y0": y,
        "y1": y,
        "line": {"color": GREY, "width": 1, "dash": "dot"},
    }


def endings(result: RunResult) -> list[dict[str, Any]]:
    """Return the remark that a run which did not reach its end carries on each of its figures."""
    said = [
        f"⚠ the {look['name']} diverged"
        for model, look in LOOKS.items()
        if result.latest.get(f"{model}.status") == "diverged"
    ]
    if result.status in ENDINGS and not (said and result.status == "diverged"):
        said.append(f"⚠ {ENDINGS[result.status]}")
    look = {"bordercolor": VERMILLION, "borderpad": 3, "bgcolor": "rgba(128,128,128,0.12)"}
    return [note("<br>".join(said), **look)] if said else []


def loss_unit(result: RunResult) -> str:
    """Return the unit of the loss: that of the targets squared, nats, …"""
    return units(loss_name(result))[0]


def output_unit(result: RunResult) -> str:
    """Return the unit of the outputs: that of the targets, logits, …"""
    return units(loss_name(result))[1]


def units(loss: str | None) -> tuple[str, str]:
    """Return the units of a loss and of its outputs; those of the square one for no known name."""
    facts = spec.facts_of("loss", loss) or spec.facts_of("loss", USUAL_LOSS)
    return facts.get("units", ("loss units", "output units"))


def loss_name(result: RunResult) -> str | None:
    """Return the loss of the run; None for a run of a user's own module."""
    return (result.config or {}).get("loss")


def has(result: RunResult, *names: str) -> bool:
    """Whether the run recorded a finite value of any of these quantities."""
    groups = (result.series, result.sparse)
    return any(name in g and np.isfinite(g[name]).any() for g in groups for name in names)
