"""The hidden units of a two-layer network in the plane: |a_j| b_j, moving."""

import numpy as np

from lazycore.figures import Panel, animation, style
from lazycore.figures.style import Figure, Trace
from lazycore.results import RunResult

MOST_FRAMES, MOST_NEURONS = 60, 200
SIGNS = (
    (1.0, "a > 0", style.BLUE, "circle"),
    (-1.0, "a < 0", style.VERMILLION, "triangle-up"),
)


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return the paths |a_j(t)| b_j(t) of both models with a play button and a time slider.

    A path is a line from the start to the last position; the mark is the neuron at the
    chosen time, a circle where a_j > 0 and a triangle where a_j < 0. The unit circle is the
    scale: each side has axes of its own.
    """
    models = [m for m in style.MODELS if f"neurons.{m}" in result.sparse]
    paths = [result.sparse[f"neurons.{m}"][:, :MOST_NEURONS] for m in models]
    signs = np.asarray(result.latest["neurons.sign"])[:MOST_NEURONS]
    shown = style.thinned(len(result.kernel_time), MOST_FRAMES)
    trails = [t for i, p in enumerate(paths) for t in _trails(p, signs, i)]
    frames = [
        {
            "name": str(k),
            "data": [t for i, p in enumerate(paths) for t in _marks(p[k], signs, i)],
            "traces": list(range(len(trails), len(trails) + 2 * len(paths))),
        }
        for k in shown
    ]
    layout = _layout(result, models, paths, shown)
    return style.figure(trails + frames[-1]["data"], **layout) | {"frames": frames}


def _trails(path: np.ndarray, signs: np.ndarray, side: int) -> list[Trace]:
    """Return the paths of one model as one line for each sign, broken between neurons."""
    traces = []
    for sign, name, color, _ in SIGNS:
        own = path[:, signs == sign]
        count = max(own.shape[1], 1)
        index = style.thinned(len(own), max(2, style.MOST_POINTS // count - 1))
        broken = np.concatenate([own[index], np.full((1, *own.shape[1:]), np.nan)])
        xy = broken.transpose(1, 0, 2).reshape(-1, 2)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": style.numbers(xy[:, 0]),
                "y": style.numbers(xy[:, 1]),
                "line": {"color": color, "width": 1},
                "opacity": 0.45,
                "name": f"path, {name}",
                "showlegend": False,
                "hoverinfo": "skip",
                **_axes(side),
            }
        )
    return traces


def _marks(points: np.ndarray, signs: np.ndarray, side: int) -> list[Trace]:
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": style.numbers(points[signs == sign, 0]),
            "y": style.numbers(points[signs == sign, 1]),
            "marker": {"color": color, "symbol": symbol, "size": 8, "line": {"width": 0.5}},
            "name": f"neuron with {name}",
            "legendgroup": name,
            "showlegend": side == 0,
            "hovertemplate": "(%{x:.3g}, %{y:.3g})<extra></extra>",
            **_axes(side),
        }
        for sign, name, color, symbol in SIGNS
    ]


def _axes(side: int) -> dict[str, str]:
    return {"xaxis": "x", "yaxis": "y"} if side == 0 else {"xaxis": "x2", "yaxis": "y2"}


def _layout(result: RunResult, models: list[str], paths: list, shown: np.ndarray) -> dict:
    domains = [[0.0, 0.47], [0.53, 1.0]] if len(models) > 1 else [[0.0, 1.0]]
    layout: dict = {"shapes": [], "annotations": style.endings(result)}
    for side, (model, path, domain) in enumerate(zip(models, paths, domains, strict=True)):
        end = "" if side == 0 else str(side + 1)
        reach = 1.12 * max(1.0, style.reach(path))
        span = [-reach, reach]
        layout[f"xaxis{end}" if end else "x"] = style.axis(
            "|a| b₁ (weight units²)", domain=domain, anchor=f"y{end}", range=span
        )
        layout[f"yaxis{end}" if end else "y"] = style.axis(
            "|a| b₂ (weight units²)" if side == 0 else "",
            scaleanchor=f"x{end}",
            anchor=f"x{end}",
            range=span,
        )
        layout["shapes"].append(_unit_circle(end))
        layout["annotations"].append(
            style.note(
                style.MODELS[model]["name"],
                x=sum(domain) / 2,
                y=1.0,
                xanchor="center",
                yanchor="bottom",
            )
        )
    times = result.kernel_time[shown]
    return layout | {
        "title": "Paths of the neurons",
        "subtitle": "|a<sub>j</sub>| b<sub>j</sub>, each from its start; dotted: unit circle",
        "alt": "Paths of the hidden neurons in the plane, network left, linearisation right, "
        "with a play button.",
        "height": 470,
        "margin": {"l": 62, "r": 14, "t": 84, "b": 132},
        "hovermode": "closest",
        "updatemenus": [animation.buttons()],
        "sliders": [animation.slider(shown, times)],
    }


def _unit_circle(end: str) -> dict:
    return {
        "type": "circle",
        "xref": f"x{end}",
        "yref": f"y{end}",
        "x0": -1,
        "x1": 1,
        "y0": -1,
        "y1": 1,
        "line": {"color": style.GREY, "width": 1, "dash": "dot"},
        "layer": "below",
    }


PANEL = Panel(
    name="neurons",
    order=50,
    question="Do the neurons travel to the target's directions, or hardly move?",
    shows=lambda result: style.has(result, "neurons.nonlinear") and "neurons.sign" in result.latest,
    draw=figure,
)
