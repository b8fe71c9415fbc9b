"""Λ over time: how much more the first layer sees of the directions that matter."""

import numpy as np

from lazycore.figures import Panel, finding, quantity, style
from lazycore.figures.style import Figure
from lazycore.results.quantities.units import COMPRESSION
from lazycore.results.run import RunResult


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return Λ = rms w_∥ / rms w_⊥ of the network over flow time, and where it began."""
    values = COMPRESSION.values(result)
    return style.figure(
        [style.model_line("nonlinear", result.time, values, log=log)],
        title="Compression of directions",
        subtitle=PANEL.question,
        x=style.time_axis(log),
        y=style.axis(quantity.axis_title(COMPRESSION, result), log),
        alt=finding.sentences(
            [
                "first-layer weights along the directions that labels depend on are, over those "
                f"across them, Λ {finding.course(values)}, {finding.until(result)}",
                "root mean squares; dotted: as drawn",
            ]
        ),
        shapes=[style.level(float(y)) for y in values[:1] if np.isfinite(y)],
        annotations=style.endings(result),
        showlegend=True,
    )


PANEL = Panel(
    name="compression",
    order=49,
    question="Do the neurons turn to the directions that matter?",
    shows=lambda result: style.has(result, COMPRESSION.name),
    draw=figure,
)
