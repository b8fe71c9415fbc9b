"""Two outputs in their plane: how both models travel to a target, or to the nearest they see."""

import numpy as np

from lazycore.config import spec
from lazycore.figures import Panel, animation, finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.run import RunResult

REACH = 1.25
CURVE_POINTS = 300


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return αh and αh̄ in the plane over time, with the target, a play button and a slider.

    Of the figure eight also the whole curve αh(w), its tangent at w0, on which the
    linearisation lives, and the point of the curve that is nearest to the target.
    """
    recorded = [m for m in style.LOOKS if f"{m}.outputs" in result.series]
    paths = {m: result.series[f"{m}.outputs"][:, 0] for m in recorded}
    shown = style.thinned(len(result.time), animation.MOST_FRAMES)
    target = np.asarray(result.latest["constants.target"], dtype=float)[0]
    seen = np.concatenate([target[None], *paths.values()])
    reach = REACH * max(1.0, style.reach(seen))
    fixed = [*_curve(result, reach, target), *_trails(paths), _point(target, "target", "star")]
    moving = list(range(len(fixed), len(fixed) + len(paths)))
    frames = [
        {"name": str(k), "data": [_mark(m, p[k]) for m, p in paths.items()], "traces": moving}
        for k in shown
    ]
    span = [-reach, reach]
    drawn = style.figure(
        fixed + frames[-1]["data"],
        title="Paths of the outputs",
        subtitle=_subtitle(result),
        x=style.axis("first output αh₁ (output units)", range=span),
        y=style.axis("second output αh₂ (output units)", range=span, scaleanchor="x"),
        alt=finding.sentences(
            [
                "the outputs of network and linearisation in the plane, and their target",
                f"{_subtitle(result)}, {finding.until(result)}",
            ]
        ),
        height=560,
        margin={"l": 62, "r": 14, "t": 70, "b": 190},
        hovermode="closest",
        annotations=style.endings(result),
        updatemenus=[animation.buttons()],
        sliders=[animation.slider(shown, result.time[shown])],
    ) | {"frames": frames}
    return animation.opened(drawn, result)


def _subtitle(result: RunResult) -> str:
    loss = float(result.series["nonlinear.train_loss"][-1])
    other = float(result.series["linearized.train_loss"][-1])
    return f"loss at the end {loss:.4g}, of the linearisation {other:.4g}"


def _trails(paths: dict[str, np.ndarray]) -> list[Trace]:
    return [
        _line(path[style.thinned(len(path))], f"path, {style.LOOKS[m]['name']}", m)
        | {"showlegend": False}
        for m, path in paths.items()
    ]


def _line(points: np.ndarray, name: str, model: str) -> Trace:
    look = style.LOOKS[model]
    # The network's below, wider: where both go the same way, both are seen.
    width = 6 if model == "nonlinear" else 2.5
    stroke = {"color": look["color"], "dash": look["dash"], "width": width}
    return _trace(points, name) | {"mode": "lines", "line": stroke}


def _trace(points: np.ndarray, name: str) -> Trace:
    return {
        "type": "scatter",
        "name": name,
        "x": style.numbers(points[:, 0]),
        "y": style.numbers(points[:, 1]),
        "hovertemplate": "(%{x:.4g}, %{y:.4g})<extra></extra>",
    }


def _point(place: np.ndarray, name: str, symbol: str) -> Trace:
    look = {"symbol": symbol, "size": 13, "color": style.PURPLE, "line": {"width": 2}}
    return _trace(place[None], name) | {"mode": "markers", "marker": look}


def _mark(model: str, place: np.ndarray) -> Trace:
    look = style.LOOKS[model]
    marker = {"symbol": look["symbol"], "size": 12, "color": look["color"]}
    return _trace(place[None], f"{look['name']} at time t") | {"mode": "markers", "marker": marker}


def _curve(result: RunResult, reach: float, target: np.ndarray) -> list[Trace]:
    """Return αh(w) for all w within the picture, its tangent at 0, and its nearest point."""
    config = result.config or {}
    whole = spec.facts_of("model", config.get("model")).get("curve")
    if whole is None:
        return []
    found, direction = whole()
    points = float(config["alpha"]) * found
    nearest = points[np.argmin(np.square(points - target).sum(1))]
    seen = points.copy()
    seen[np.abs(points).max(axis=1) > 1.5 * reach] = np.nan
    grey = {"color": style.GREY, "width": 1.5}
    tangent = np.outer([-1.5, 1.5], direction) * reach
    dashes = {"color": style.VERMILLION, "width": 1, "dash": "dot"}
    return [
        _trace(_spread(seen), "all αh(w)") | {"mode": "lines", "line": grey, "hoverinfo": "skip"},
        _trace(tangent, "tangent at w₀") | {"mode": "lines", "line": dashes, "hoverinfo": "skip"},
        _point(nearest, "nearest point of the curve", "star-open"),
    ]


def _spread(points: np.ndarray) -> np.ndarray:
    """Return about 300 of the points in the picture, by their way along it, gaps as they are."""
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    way = np.concatenate([[0.0], np.cumsum(np.nan_to_num(steps))])
    index = np.searchsorted(way, np.linspace(0.0, way[-1], CURVE_POINTS))
    gaps = np.flatnonzero(np.isnan(points[:-1, 0]) != np.isnan(points[1:, 0]))
    return points[np.unique(np.concatenate([index.clip(max=len(points) - 1), gaps, gaps + 1]))]


def _shows(result: RunResult) -> bool:
    outputs = result.series.get("nonlinear.outputs")
    return (
        outputs is not None
        and outputs.shape[1:] == (1, 2)
        and style.has(result, "nonlinear.outputs")
        and {f"{model}.train_loss" for model in style.MODELS} <= result.series.keys()
        and "linearized.outputs" in result.series
        and "constants.target" in result.latest
    )


PANEL = Panel(
    name="outputs_plane",
    order=48,
    question="Do both outputs travel the same way, and to the nearest point there is?",
    shows=_shows,
    draw=figure,
)
