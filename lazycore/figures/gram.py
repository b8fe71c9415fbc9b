"""The tangent kernel as a picture: its entries between training points, sorted by class."""

import numpy as np

from lazycore.figures import Panel, animation, finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.run import RunResult

MOST_FRAMES, MOST_POINTS, MOST_ENTRIES, PAUSE = 50, 60, 90_000, 250
"""Frames, points, and entries of all frames together, that are drawn: half a megabyte, so that the
page stays light. Milliseconds of a frame."""

LOWEST, HIGHEST = 0.1, 1.9


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return Θ(x_i, x_j) over its rms, with a slider over the recorded times.

    Points are sorted by class, whose borders are lines: where features are learned, blocks
    appear (Geiger, Spigler, Jacot & Wyart 2020, arXiv:1906.08034).
    """
    kernels, labels = result.sparse["kernel.gram"], np.asarray(result.latest["kernel.labels"])
    shown = style.thinned(len(kernels), MOST_FRAMES)
    points = style.thinned(len(labels), min(MOST_POINTS, int((MOST_ENTRIES / len(shown)) ** 0.5)))
    maps = [_map(kernels[k][np.ix_(points, points)]) for k in shown]
    frames = [
        {"name": str(k), "data": [trace], "traces": [0]}
        for k, trace in zip(shown, maps, strict=True)
    ]
    side, borders = [-0.5, len(points) - 0.5], _borders(labels[points])
    classes = _classes(labels[points], borders)
    title = "training point (class)" if classes else "training point (index, by target)"
    return style.figure(
        [maps[-1]],
        title="Kernel between training points",
        subtitle=PANEL.question,
        x=style.axis(title, range=side, constrain="domain", **classes),
        y=style.axis(title, range=side[::-1], scaleanchor="x", constrain="domain", **classes),
        alt=_finding(result, kernels[shown[[0, -1]]][:, points][:, :, points], labels[points]),
        height=500,
        margin={"l": 62, "r": 14, "t": 70, "b": 150},
        hovermode="closest",
        shapes=[s for place in borders for s in _lines(place, side)],
        annotations=style.endings(result),
        updatemenus=[animation.buttons(PAUSE, redraw=True)],
        sliders=[animation.slider(shown, result.kernel_time[shown], redraw=True)],
    ) | {"frames": frames}


def _finding(result: RunResult, kernels: np.ndarray, labels: np.ndarray) -> str:
    """Return how large the first and the last of these kernels are within a class and between."""
    what = (
        f"heat map of the tangent kernel between {len(labels)} training points, over its root "
        f"mean square, with a slider {finding.until(result)}"
    )
    first, last = (kernel / (_size(kernel) or 1.0) for kernel in kernels.astype(float))
    if not _borders(labels).size:
        ends = [finding.finite(kernel) for kernel in (first, last)]
        spans = [f"from {finding.said(v.min())} to {finding.said(v.max())}" for v in ends if v.size]
        return finding.sentences([what, *(f"its entries go {span}" for span in spans)])
    same = labels[:, None] == labels[None, :]
    within, between = (
        [finding.said(float(kernel[where].mean())) for kernel in (first, last)]
        for where in (same, ~same)
    )
    return finding.sentences(
        [
            what,
            f"within a class it is {within[0]} on average at first and {within[1]} at last, "
            f"between classes {between[0]} and {between[1]}",
        ]
    )


def _size(kernel: np.ndarray) -> float:
    """Return the root mean square of the entries."""
    return float(np.sqrt(np.mean(np.square(kernel))))


def _map(kernel: np.ndarray) -> Trace:
    kernel = kernel.astype(float)
    size = _size(kernel)
    z = np.round(kernel / size if size > 0.0 else kernel, 2)
    return {
        "type": "heatmap",
        "name": "kernel over its rms",
        "z": style.numbers(z),
        "zmin": LOWEST,
        "zmax": HIGHEST,
        "colorscale": "Cividis",
        "colorbar": {
            "title": {"text": "Θ / rms Θ<br>(ratio)", "font": {"size": 11}},
            "thickness": 12,
            "outlinewidth": 0,
        },
        "hovertemplate": "(%{x}, %{y}): %{z:.2f}<extra></extra>",
    }


def _borders(labels: np.ndarray) -> np.ndarray:
    """Return where one class ends and the next begins; none for real targets."""
    places = np.flatnonzero(np.diff(labels)) + 0.5
    return places if len(places) <= 10 else places[:0]


def _classes(labels: np.ndarray, borders: np.ndarray) -> dict:
    """Return the ticks that name the classes, each in the middle of its points."""
    if not borders.size:
        return {}
    ends = np.concatenate([[-0.5], borders, [len(labels) - 0.5]])
    middle = 0.5 * (ends[1:] + ends[:-1])
    names = [
        f"{labels[int(place)]:+g}" if labels.min() < 0 else f"{labels[int(place)]:g}"
        for place in middle
    ]
    return {"tickvals": middle.tolist(), "ticktext": names}


def _lines(place: float, side: list[float]) -> list[dict]:
    line = {"color": "#ffffff", "width": 1.5}
    upright = {"x0": place, "x1": place, "y0": side[0], "y1": side[1]}
    level = {"y0": place, "y1": place, "x0": side[0], "x1": side[1]}
    return [{"type": "line", "xref": "x", "yref": "y", "line": line} | w for w in (upright, level)]


PANEL = Panel(
    name="gram",
    order=36,
    question="Does the kernel come to know the classes?",
    shows=lambda result: style.has(result, "kernel.gram") and "kernel.labels" in result.latest,
    draw=figure,
)
