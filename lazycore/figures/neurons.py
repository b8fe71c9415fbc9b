"""The hidden units of a two-layer network in the plane: |a_j| b_j, moving."""

import numpy as np

from lazycore.config import spec
from lazycore.figures import Panel, animation, finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.run import RunResult

MOST_FRAMES, MOST_NEURONS = 60, 200
MARGIN = 1.12
MOST_BEYOND = 1.3
"""How far the picture follows a linearisation, in the reach of its network."""
SIGNS = (
    (1.0, "a > 0", style.BLUE, "circle"),
    (-1.0, "a < 0", style.VERMILLION, "triangle-up"),
)


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return the paths |a_j(t)| b_j(t) of both models with a play button and a time slider.

    A path is a line from the start to the last position; the mark is the neuron at the
    chosen time, at first at the start, a circle where a_j > 0 and a triangle where a_j < 0. Rays
    are the directions of a teacher, in the colours of its neurons' signs. Both models are on one
    scale, and so is the unit circle; a linearisation that goes far beyond leaves the picture.
    """
    models = [m for m in style.MODELS if f"neurons.{m}" in result.sparse]
    paths = [result.sparse[f"neurons.{m}"][:, :MOST_NEURONS] for m in models]
    signs = np.asarray(result.latest["neurons.sign"])[:MOST_NEURONS]
    shown = style.thinned(len(result.kernel_time), MOST_FRAMES)
    reach = _reach(models, paths)
    fixed = [t for i in range(len(paths)) for t in _rays(result, reach, i)]
    fixed += [t for i, p in enumerate(paths) for t in _trails(p, signs, i)]
    frames = [
        {
            "name": str(k),
            "data": [t for i, p in enumerate(paths) for t in _marks(p[k], signs, i)],
            "traces": list(range(len(fixed), len(fixed) + 2 * len(paths))),
        }
        for k in shown
    ]
    layout = _layout(result, models, paths, shown, reach)
    drawn = style.figure(fixed + frames[-1]["data"], **layout) | {"frames": frames}
    return animation.opened(drawn, result)


def _reach(models: list[str], paths: list[np.ndarray]) -> float:
    """Return how far the picture goes: to the unit circle and the network's neurons, and to the
    linearisation's where they stay near that."""
    far = {m: style.reach(p) for m, p in zip(models, paths, strict=True)}
    near = max(1.0, far.pop("nonlinear", 0.0))
    return MARGIN * max(near, min(MOST_BEYOND * near, max(far.values(), default=0.0)))


def _rays(result: RunResult, reach: float, side: int) -> list[Trace]:
    """Return the directions of the teacher's neurons, one line for each sign; none without."""
    config = result.config or {}
    directions = spec.find("task", config["task"]).SPEC.facts.get("rays") if config else None
    if directions is None:
        return []
    found, signs = directions(config)
    if found.shape[1] != 2:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": _spokes(2.0 * reach * found[signs == sign, 0]),
            "y": _spokes(2.0 * reach * found[signs == sign, 1]),
            "line": {"color": color, "width": 1.5, "dash": "7px,4px"},
            "name": f"teacher, {name}",
            "legendgroup": f"teacher, {name}",
            "showlegend": side == 0,
            "hoverinfo": "skip",
            **_axes(side),
        }
        for sign, name, color, _ in SIGNS
        if (signs == sign).any()
    ]


def _spokes(ends: np.ndarray) -> list[float | None]:
    """Return lines from 0 to each of these ends, broken in between."""
    return [value for end in ends.tolist() for value in (0.0, end, None)]


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
                "line": {"color": color, "width": 1.5},
                "opacity": 0.6,
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


def _layout(
    result: RunResult, models: list[str], paths: list, shown: np.ndarray, reach: float
) -> dict:
    domains = [[0.0, 0.47], [0.53, 1.0]] if len(models) > 1 else [[0.0, 1.0]]
    layout: dict = {"shapes": [], "annotations": style.endings(result)}
    for side, (model, path, domain) in enumerate(zip(models, paths, domains, strict=True)):
        end = "" if side == 0 else str(side + 1)
        span = [-reach, reach]
        across: dict = {"matches": "x"} if side else {}
        up: dict = {"matches": "y"} if side else {"scaleanchor": "x"}
        layout[f"xaxis{end}" if end else "x"] = style.axis(
            "|a| b₁ (weight units²)", domain=domain, anchor=f"y{end}", range=span, **across
        )
        layout[f"yaxis{end}" if end else "y"] = style.axis(
            "|a| b₂ (weight units²)" if side == 0 else "",
            anchor=f"x{end}",
            range=span,
            **up,
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
        if gone := _left(path, reach):
            where = {"x": sum(domain) / 2, "y": 0.01, "xanchor": "center", "yanchor": "bottom"}
            layout["annotations"].append(style.note(gone, **where))
    times = result.kernel_time[shown]
    return layout | {
        "title": "Paths of the neurons",
        "subtitle": "|a<sub>j</sub>| b<sub>j</sub>, from the start; dotted: unit circle"
        + ("; dashed: teacher" if _rays(result, reach, 0) else ""),
        "alt": _finding(models, paths),
        "height": 470,
        "margin": {"l": 62, "r": 14, "t": 84, "b": 132},
        "hovermode": "closest",
        "updatemenus": [animation.buttons()],
        "sliders": [animation.slider(shown, times)],
    }


def _finding(models: list[str], paths: list[np.ndarray]) -> str:
    """Return how far the neurons of each model go from where they started."""
    said = []
    for model, path in zip(models, paths, strict=True):
        start = np.linalg.norm(path[0], axis=1)
        way = np.nanmax(np.linalg.norm(path - path[0], axis=2), axis=0, initial=0.0)
        said.append(
            f"in the {style.MODELS[model]['name']} {path.shape[1]} hidden neurons start at a "
            f"median of {finding.said(float(np.median(start)))} from 0 and move by a median of "
            f"{finding.said(float(np.median(way)))}, the farthest by "
            f"{finding.said(finding.largest(way))}"
        )
    return finding.sentences([*said, "paths in the plane, with a play button"])


def _left(path: np.ndarray, reach: float) -> str:
    """Return how many neurons leave the picture, and how far they go, where some do."""
    farthest = np.nanmax(np.abs(path), axis=(0, 2), initial=0.0)
    gone = int((farthest > reach).sum())
    return f"{gone} leave the picture,<br>up to {farthest.max():.2g}" if gone else ""


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
