"""The largest eigenvalues of the tangent kernel while the network trains."""

import numpy as np

from lazycore.figures import Panel, finding, style
from lazycore.figures.style import Figure
from lazycore.results.run import RunResult

SHOWN = (1, 2, 3, 5, 10, 20, 50, 100)
"""Indices of the eigenvalues that are drawn."""

PALE = (0.0, 114.0, 178.0)
"""The network's blue."""


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return some eigenvalues of Θ/n over flow time, the largest darkest."""
    values = result.sparse["kernel.eigenvalues"]
    some = [i for i in SHOWN if i <= values.shape[1]]
    traces = []
    for place, i in enumerate(some):
        stroke = {"color": _shade(place / max(len(some) - 1, 1)), "width": 2, "dash": "solid"}
        traces.append(
            style.line(
                result.kernel_time, values[:, i - 1], f"λ<sub>{i}</sub>", log=log, line=stroke
            )
        )
    return style.figure(
        traces,
        title="Spectrum of the kernel over time",
        subtitle=PANEL.question,
        x=style.time_axis(log),
        y=style.axis("eigenvalue of Θ/n (1/flow time)", log),
        alt=finding.sentences(
            [
                f"eigenvalues of the network's tangent kernel {finding.until(result)}",
                *(f"number {i} {finding.course(values[:, i - 1])}" for i in some),
            ]
        ),
        annotations=style.endings(result),
    )


def _shade(share: float) -> str:
    """Return the network's blue, paler the larger the share."""
    red, green, blue = (np.round(c + (225.0 - c) * 0.75 * share) for c in PALE)
    return f"rgb({red:.0f},{green:.0f},{blue:.0f})"


PANEL = Panel(
    name="eigenvalues",
    order=37,
    question="Which directions become faster to learn?",
    shows=lambda result: style.has(result, "kernel.eigenvalues"),
    draw=figure,
)
