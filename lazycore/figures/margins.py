"""How far the worst training point is on its side: the smallest margin over time."""

import numpy as np

from lazycore.figures import Panel, finding, quantity, style
from lazycore.figures.style import Figure
from lazycore.results.quantities.models import MARGIN
from lazycore.results.run import RunResult


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return min_i y_i αh(x_i) of both models over flow time, with the level of 0.

    Above it every training point is on its side. With a loss that has a margin m, its level too.
    """
    x = style.time_axis(log)
    # Margins begin at 0 and pass below it: the time alone is logarithmic.
    late = result.time > 0.0 if log else result.time >= 0.0
    traces = [
        style.model_line(model, result.time[late], MARGIN.values(result, model)[late])
        for model in style.MODELS
        if style.has(result, MARGIN.key(model))
    ]
    margin = (result.config or {}).get("margin")
    levels = [0.0] if margin is None else [0.0, float(margin)]
    notes = [] if margin is None else [_label(f"margin m = {margin:g}", float(margin))]
    return style.figure(
        traces,
        title="Smallest margin",
        subtitle=PANEL.question,
        x=x,
        y=style.axis(quantity.axis_title(MARGIN, result)),
        alt=_finding(result),
        shapes=[style.level(y) for y in levels],
        annotations=[*notes, *style.endings(result)],
    )


def _finding(result: RunResult) -> str:
    """Return where each model's margin begins and ends, and when it is above 0 for good."""
    parts = []
    for model, look in style.MODELS.items():
        if style.has(result, name := f"{model}.margin"):
            values = result.series[name]
            parts.append(f"{look['name']} {finding.course(values)}, {_sorted_from(result, values)}")
    what = f"smallest product of label and output over the training points {finding.until(result)}"
    return finding.sentences([what, *parts])


def _sorted_from(result: RunResult, values: np.ndarray) -> str:
    """Return from when on every training point is on its side."""
    wrong = np.flatnonzero(np.isfinite(values) & (values <= 0.0))
    after = int(wrong[-1]) + 1 if wrong.size else 0
    if after >= len(values) or not np.isfinite(values[after]):
        return "a point is on the wrong side to the end"
    return f"every point on its side from flow time {result.time[after]:.4g} on"


def _label(text: str, y: float) -> dict:
    return style.note(text, yref="y", y=y, x=0.01, xanchor="left", yanchor="bottom")


PANEL = Panel(
    name="margins",
    order=41,
    question="When is the last training point on its side?",
    shows=lambda result: style.has(result, MARGIN.key("nonlinear")),
    draw=figure,
)
