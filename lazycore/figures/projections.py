"""Where the labels are among the kernel's eigenvectors, at the start and at the end."""

import numpy as np

from lazycore.figures import Panel, finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.run import RunResult


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return the cumulative share Σ_{i≤r} (v_i·y)²/‖y‖² of the labels over the rank r.

    The sooner it is 1, the fewer eigenvectors the labels need: kernel and labels are aligned.
    """
    shares = result.sparse["kernel.projections"]
    rank = np.arange(1.0, shares.shape[1] + 1.0)
    start = {"color": style.GREY, "width": 2.5, "dash": "dash"}
    end = {"color": style.BLUE, "width": 2.5, "dash": "solid"}
    time = result.kernel_time
    half = [int(np.searchsorted(np.cumsum(row), 0.5)) + 1 for row in (shares[0], shares[-1])]
    counts = [_count(number, rank) for number in half]
    return style.figure(
        [
            _curve(rank, shares[0], "initial kernel", start),
            _curve(rank, shares[-1], f"kernel at t = {time[-1]:.3g}", end),
        ],
        title="Labels among the eigenvectors",
        subtitle=f"{PANEL.question} Half of them: {counts[0]} at first, {counts[1]} at last",
        x=style.axis("rank r (count)", log),
        y=style.axis("Σ (vᵢ·y)²/‖y‖² up to r (share)", range=[0, 1.02]),
        alt=finding.sentences(
            [
                f"half of the labels lies in the first {counts[0]} eigenvectors of the initial "
                f"tangent kernel, and in the first {counts[1]} of that at flow time {time[-1]:.4g}",
                f"in the very first {finding.said(shares[0][0])} and {finding.said(shares[-1][0])}",
            ]
        ),
        annotations=style.endings(result),
        showlegend=True,
    )


def _curve(rank: np.ndarray, shares: np.ndarray, name: str, stroke: dict) -> Trace:
    return style.line(rank, np.cumsum(shares), name, line=stroke)


def _count(half: int, rank: np.ndarray) -> str:
    return str(half) if half <= len(rank) else f"more than {len(rank)}"


PANEL = Panel(
    name="projections",
    order=38,
    question="How many eigenvectors do the labels need?",
    shows=lambda result: style.has(result, "kernel.projections"),
    draw=figure,
)
