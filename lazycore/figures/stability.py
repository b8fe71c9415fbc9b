"""How many hidden units keep the side of zero that they started on, in all and by layer."""

import numpy as np

from lazycore.figures import Panel, finding, style
from lazycore.figures.displacement import MOST_LAYERS, SYMBOLS
from lazycore.figures.style import Figure, Trace
from lazycore.results.quantities.units import (
    ACTIVATION_STABILITY,
    STABILITY_BY_LAYER,
    TEST_STABILITY,
)
from lazycore.results.run import RunResult

MOST_SHOWN = 0.999
"""The axis begins here, or lower: what happens above is as good as nothing."""


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return the share of (point, unit) pairs whose pre-activation keeps its sign."""
    data = [_kept(style.model_line("nonlinear", result.time, _mean(result)), log)]
    data += _layers(result, log)
    if style.has(result, TEST_STABILITY.name):
        values = TEST_STABILITY.values(result)
        look = {"color": style.GREEN, "width": 1.5, "dash": "dot"}
        data.append(_kept(style.line(result.time, values, "on test points", line=look), log))
    return style.figure(
        data,
        title="Stability of activations",
        subtitle=PANEL.question,
        x=style.time_axis(log),
        y=style.axis("unchanged (share of pairs)", tickformat=".4~%", range=_range(data)),
        alt=finding.sentences(
            [
                f"share of hidden units that keep their initial sign {finding.until(result)}: "
                f"{finding.course(_mean(result), '.2%')}, the mean over layers",
            ]
        ),
        annotations=[*style.endings(result), *_frozen(result)],
        showlegend=True,
    )


def _mean(result: RunResult) -> np.ndarray:
    return ACTIVATION_STABILITY.values(result)


def _layers(result: RunResult, log: bool) -> list[Trace]:
    if not style.has(result, STABILITY_BY_LAYER.name):
        return []
    look = {"color": style.BLUE, "width": 1}
    return [
        style.with_marks(
            _kept(style.line(result.time, values, f"layer {i + 1}", line=look, opacity=0.75), log),
            SYMBOLS[i % len(SYMBOLS)],
        )
        for i, values in enumerate(STABILITY_BY_LAYER.values(result).T[:MOST_LAYERS])
    ]


def _frozen(result: RunResult) -> list[dict]:
    """Return the remark on the network whose gates are those of the start, where there is one."""
    errors = {part: result.latest.get(f"frozen_gates.{part}_error") for part in ("train", "test")}
    said = [f"{100.0 * error:.3g} % {part}" for part, error in errors.items() if error is not None]
    if not said:
        return []
    text = f"error with the gates of the start: {', '.join(said)}"
    return [style.note(text, x=0, xanchor="left", y=0.02, yanchor="bottom")]


def _range(data: list[Trace]) -> list[float]:
    """Return an axis that ends above 100 % and shows the lowest share."""
    shares = [y for trace in data for y in trace["y"] if y is not None]
    lowest = min([*shares, MOST_SHOWN])
    margin = 0.08 * (1.0 - lowest)
    return [lowest - margin, 1.0 + margin]


def _kept(trace: Trace, log: bool) -> Trace:
    """Return the trace without the start, which a logarithmic time axis has no place for."""
    if not log:
        return trace
    kept = [i for i, t in enumerate(trace["x"]) if t]
    return trace | {key: [trace[key][i] for i in kept] for key in ("x", "y")}


PANEL = Panel(
    name="stability",
    order=60,
    question="How many hidden units keep the side of zero they began on?",
    shows=lambda result: style.has(result, ACTIVATION_STABILITY.name),
    draw=figure,
)
