"""How far the weights travel: in all, layer by layer, and apart from each other."""

import numpy as np

from lazycore.figures import Panel, finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.quantities.models import DISPLACEMENT
from lazycore.results.run import RunResult

MOST_LAYERS = 40
"""Layers that have a line each, at most: of more, some, evenly spread."""
SYMBOLS = ("circle", "square", "triangle-up", "star", "cross", "hexagon", "triangle-down")


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return ‖w − w₀‖ of both models, of each layer of the network, and ‖w − w̄‖."""
    data = [
        style.model_line(model, result.time, result.series[f"{model}.displacement"], log=log)
        for model in style.MODELS
        if style.has(result, f"{model}.displacement")
    ]
    data += _layers(result, log)
    if style.has(result, "gap.parameter"):
        look = {"color": style.GREEN, "width": 2}
        y = result.series["gap.parameter"]
        data.append(style.line(result.time, y, "apart: ‖w − w̄‖", log=log, line=look))
    return style.figure(
        data,
        title="Displacement of the weights",
        subtitle=PANEL.question,
        x=style.time_axis(log),
        y=style.axis(f"‖w − w₀‖ ({DISPLACEMENT.unit})", log),
        alt=_finding(result),
        annotations=style.endings(result),
    )


def _finding(result: RunResult) -> str:
    """Return how far the weights of each model moved, and how far apart they came."""
    moved = [
        f"the weights of the {look['name']} move by "
        f"{finding.said(finding.largest(result.series[name]))}"
        for model, look in style.MODELS.items()
        if style.has(result, name := f"{model}.displacement")
    ]
    apart = finding.largest(result.series.get("gap.parameter", []))
    between = f"they come to be {finding.said(apart)} apart" if np.isfinite(apart) else ""
    return finding.sentences([*moved, between, f"shown {finding.until(result)}, by layer too"])


def _layers(result: RunResult, log: bool) -> list[Trace]:
    name = "nonlinear.displacement_by_layer"
    if not style.has(result, name):
        return []
    values = result.series[name]
    names = result.latest.get("layers") or [f"layer {i + 1}" for i in range(values.shape[1])]
    names = [style.words(name) for name in names]
    look = {"color": style.BLUE, "width": 1}
    return [
        style.with_marks(
            style.line(result.time, values[:, i], names[i], log=log, line=look, opacity=0.75),
            SYMBOLS[i % len(SYMBOLS)],
        )
        for i in style.thinned(values.shape[1], MOST_LAYERS)
    ]


PANEL = Panel(
    name="displacement",
    order=30,
    question="How far do the weights travel, in all and in each layer?",
    shows=lambda result: style.has(result, "nonlinear.displacement"),
    draw=figure,
)
