"""The eigenvalues of the tangent kernel at the start: one a class, and then a steep fall."""

import numpy as np

from lazycore.figures import Panel, finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.run import RunResult


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return λ_i/λ_1 over i, and the widest gap among the first fifty."""
    values = eigenvalues(result)
    index = np.arange(1.0, len(values) + 1.0)
    data = [_line(index, values, log)]
    after, ratio = result.latest.get("class_gap_after"), result.latest.get("class_gap")
    notes = style.endings(result)
    shapes = []
    if after:
        middle = after + 0.5
        shapes.append(_level(middle))
        x = float(np.log10(middle)) if log else middle
        text = f" widest gap: after {after}, λ falls {ratio:.3g} times"
        notes.append(style.note(text, xref="x", x=x, xanchor="left"))
    return style.figure(
        data,
        title="Spectrum of the tangent kernel",
        subtitle=PANEL.question,
        x=style.axis("index i of the eigenvalue (count)", log),
        y=style.axis("λ_i / λ₁ (share of the largest)", log),
        alt=finding.sentences(
            [
                f"the {len(values):,} eigenvalues of the initial tangent kernel over all outputs "
                f"fall {finding.course(values)} of the largest",
                f"the widest gap comes after number {after}, where they fall {ratio:.3g} times"
                if after and ratio
                else "",
            ]
        ),
        annotations=notes,
        shapes=shapes,
        showlegend=True,
    )


def eigenvalues(result: RunResult) -> np.ndarray:
    """Return the eigenvalues over the largest, decreasing."""
    values = np.asarray(result.latest["spectrum"], dtype=float)
    return values / values[0] if values[0] > 0.0 else values


def _line(index: np.ndarray, values: np.ndarray, log: bool) -> Trace:
    """Return the spectrum with its first fifty eigenvalues whole, the rest thinned."""
    kept = np.unique(
        np.concatenate(
            [np.arange(min(50, len(index))), np.geomspace(1, len(index), 200).astype(int) - 1]
        )
    )
    look = {"color": style.GREEN, "width": 2.5, "dash": "solid"}
    name = f"tangent kernel at w₀, {len(index):,} outputs"
    trace = style.line(index[kept], values[kept], name, log=log, line=look)
    return trace | {"mode": "lines+markers", "marker": {"size": 4, "color": style.GREEN}}


def _level(x: float) -> dict:
    return {
        "type": "line",
        "xref": "x",
        "x0": x,
        "x1": x,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": style.GREY, "width": 1, "dash": "dot"},
    }


PANEL = Panel(
    name="spectrum",
    order=37,
    question="How ill-conditioned is the linear problem that a lazy network solves?",
    shows=lambda result: "spectrum" in result.latest and len(result.latest["spectrum"]) > 1,
    draw=figure,
)
