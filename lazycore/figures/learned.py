"""The function that each model has learned, on inputs of one or two dimensions."""

import numpy as np

from lazycore.figures import Panel, finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.run import RunResult

SHADES = [[0.0, "#D55E00"], [0.5, "#F2F0EA"], [1.0, "#0072B2"]]
BETWEEN = 0.07
"""What stands between two maps, and beside the last one, as a share of the picture."""
MOST_CELLS = 101
"""Rows and columns of a map at most; finer than this a screen does not show."""


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return αh and αh̄ at the last recorded time: curves over a line, maps over a plane."""
    return _curves(result) if result.latest["function.x"].shape[1] == 1 else _maps(result)


def margin(values: np.ndarray) -> np.ndarray:
    """Return one number for each row of outputs (N, k): f, or f₁ − f₀ for two classes."""
    return values[:, 1] - values[:, 0] if values.shape[1] == 2 else values[:, 0]


def _curves(result: RunResult) -> Figure:
    x = result.latest["function.x"][:, 0]
    order = np.argsort(x)
    data = [
        style.model_line(m, x[order], margin(result.latest[f"function.{m}"])[order])
        for m in _models(result)
    ]
    if "data.x" in result.latest:
        points = result.latest["data.x"][:, 0], margin(result.latest["data.y"])
        data.append(_points(*points, name="training points"))
    return style.figure(
        data,
        title="Learned function",
        subtitle=PANEL.question,
        x=style.axis("input x"),
        y=style.axis(f"output ({style.output_unit(result)})"),
        alt=_finding(result, "curves over the input"),
        annotations=style.endings(result),
    )


def _maps(result: RunResult) -> Figure:
    models = _models(result)
    grids = [_grid(result.latest["function.x"], result.latest[f"function.{m}"]) for m in models]
    largest = max(style.reach(z) for *_, z in grids) or 1.0
    width = (1.0 - BETWEEN * len(models)) / len(models)
    starts = [side * (width + BETWEEN) for side in range(len(models))]
    domains = [[round(start, 4), round(start + width, 4)] for start in starts]
    data, layout, notes = [], {}, style.endings(result)
    for side, (model, (x, y, z)) in enumerate(zip(models, grids, strict=True)):
        end = "" if side == 0 else str(side + 1)
        axes = {"xaxis": f"x{end}", "yaxis": f"y{end}"}
        data += [_heat(x, y, z, largest, result, side) | axes, _zero_line(model, x, y, z) | axes]
        data += [t | axes for t in _signed_points(result, side)]
        layout[f"xaxis{end}" if end else "x"] = style.axis(
            "input x₁", domain=domains[side], anchor=f"y{end}", constrain="domain"
        )
        layout[f"yaxis{end}" if end else "y"] = style.axis(
            "input x₂" if side == 0 else "",
            scaleanchor=f"x{end}",
            anchor=f"x{end}",
            constrain="domain",
        )
        where = {"x": sum(domains[side]) / 2, "xanchor": "center", "yanchor": "bottom"}
        notes.append(style.note(style.LOOKS[model]["name"], **where))
    return style.figure(
        data,
        title="Learned function",
        subtitle="αh and αh̄ at the last time; line: where the output is 0",
        alt=_finding(result, "maps over the plane, side by side"),
        annotations=notes,
        hovermode="closest",
        margin={"l": 62, "r": 14, "t": 84, "b": 84},
        **layout,
    )


def _finding(result: RunResult, drawn: str) -> str:
    """Return how far apart the two functions are, and on how many inputs they differ in sign."""
    learned = [margin(result.latest[f"function.{m}"]) for m in style.MODELS if m in _models(result)]
    sizes = [finding.said(_rms(f)) for f in learned]
    parts = [f"functions learned, {drawn}"]
    if len(learned) == len(style.MODELS) and learned[0].size:
        network, tangent = learned
        differ = float(np.mean(np.sign(network) != np.sign(tangent)))
        parts.append(
            f"network and linearisation are {finding.said(_rms(network - tangent))} apart, of "
            f"{sizes[0]} and {sizes[1]}, root mean squares over the inputs shown"
        )
        parts.append(f"they differ in sign on {differ:.1%} of them")
    else:
        parts += [f"root mean square over the inputs shown {size}" for size in sizes]
    return finding.sentences(parts)


def _rms(values: np.ndarray) -> float:
    kept = finding.finite(values)
    return float(np.sqrt(np.mean(np.square(kept)))) if kept.size else float("nan")


def _models(result: RunResult) -> list[str]:
    return [m for m in style.LOOKS if f"function.{m}" in result.latest]


def _grid(x: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the axes of the grid and the outputs on it (rows are x₂), whatever its order."""
    first, column = np.unique(x[:, 0], return_inverse=True)
    second, row = np.unique(x[:, 1], return_inverse=True)
    z = np.full((len(second), len(first)), np.nan)
    z[row, column] = margin(values)
    i, j = style.thinned(len(second), MOST_CELLS), style.thinned(len(first), MOST_CELLS)
    return first[j], second[i], z[np.ix_(i, j)]


def _heat(x, y, z, largest: float, result: RunResult, side: int) -> Trace:
    return {
        "type": "heatmap",
        "x": style.numbers(x),
        "y": style.numbers(y),
        "z": style.numbers(z),
        "zmin": -largest,
        "zmax": largest,
        "zsmooth": "best",
        "colorscale": SHADES,
        "showscale": side == 0,
        "colorbar": {
            "title": {"text": f"output<br>({style.output_unit(result)})", "font": {"size": 11}},
            "thickness": 12,
            "x": 0.95,
            "outlinewidth": 0,
        },
        "hovertemplate": "(%{x:.3g}, %{y:.3g}): %{z:.4g}<extra></extra>",
    }


def _zero_line(model: str, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> Trace:
    look = style.LOOKS[model]
    return {
        "type": "contour",
        "x": style.numbers(x),
        "y": style.numbers(y),
        "z": style.numbers(z),
        "contours": {"start": 0, "end": 0, "size": 1, "coloring": "none"},
        "line": {"color": "#111111", "width": 2, "dash": look["dash"]},
        "showscale": False,
        "showlegend": False,
        "hoverinfo": "skip",
        "name": f"{look['name']}: output 0",
    }


def _signed_points(result: RunResult, side: int) -> list[Trace]:
    if "data.x" not in result.latest:
        return []
    x, y = result.latest["data.x"], margin(result.latest["data.y"])
    groups = ((y > 0, "target > 0", style.BLUE, "circle"), (y <= 0, "target ≤ 0", "#A33B00", "x"))
    return [
        _points(x[own, 0], x[own, 1], name=name, color=color, symbol=symbol)
        | {"showlegend": side == 0, "legendgroup": name}
        for own, name, color, symbol in groups
        if own.any()
    ]


def _points(x, y, *, name: str, color: str = style.GREY, symbol: str = "circle-open") -> Trace:
    index = style.thinned(len(x))
    rim = {"color": "#fff", "width": 1}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": style.numbers(x[index]),
        "y": style.numbers(y[index]),
        "name": name,
        "marker": {"color": color, "symbol": symbol, "size": 7, "line": rim},
        "hovertemplate": "(%{x:.3g}, %{y:.3g})",
    }


PANEL = Panel(
    name="learned",
    order=45,
    question="What function has each of them learned?",
    shows=lambda result: "function.x" in result.latest and bool(_models(result)),
    draw=figure,
)
