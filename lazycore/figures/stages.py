"""Stages of iterative linearisation: how far features have come, and whether steps are stable."""

import numpy as np

from lazycore.figures import Panel, finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.run import RunResult

LIMIT = 2.0
"""Gradient descent on a linear model diverges where ηλ_max is above it."""
SPLIT = 0.5


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return 1 − ⟨Θ_s, Θ₀⟩/(‖Θ_s‖ ‖Θ₀‖) of every stage above, and ηλ_max(Θ_s) with the line 2
    below. Where a cap made η smaller, both the η asked for and the one used are drawn."""
    steps = np.asarray(result.latest["refreshed.stage_step"]) + 1.0
    stability = np.asarray(result.latest["refreshed.stability"])
    data = [_line(steps, result.latest["refreshed.kernel_distance"], "kernel distance")]
    lower: Trace = {"xaxis": "x2", "yaxis": "y2"}
    sizes = np.asarray(result.latest["refreshed.stage_step_size"])
    asked = _asked(result, sizes)
    if np.any(sizes < asked * (1.0 - 1e-9)):
        used = stability * sizes / asked
        data.append(_line(steps, used, "ηλ_max of the capped η", dash="solid") | lower)
    data.append(_line(steps, stability, "ηλ_max", color=style.PURPLE, symbol="square") | lower)
    beyond = int((stability > LIMIT).sum())
    said = f"{beyond} of {len(steps)} recorded stages are above the limit 2"
    top = style.axis("", log) | {"anchor": "y", "showticklabels": False}
    return style.figure(
        data,
        title="Stages",
        subtitle=said,
        x=top,
        y=style.axis("1 − cos(Θ_s, Θ₀)", domain=[SPLIT + 0.04, 1.0], rangemode="tozero"),
        alt=finding.sentences(
            [
                "the distance of the tangent kernel to the first goes, stage by stage, "
                f"{finding.course(result.latest['refreshed.kernel_distance'])}",
                f"η times its largest eigenvalue goes {finding.course(stability)}",
                f"{said}, where steps diverge",
            ]
        ),
        shapes=[_limit(steps)],
        height=420,
        annotations=[
            style.note("limit 2", yref="y2", y=LIMIT, x=0.01, xanchor="left", yanchor="bottom"),
            *style.endings(result),
        ],
        xaxis2=style.axis("step at which the stage begins, from 1 (count)", log)
        | {"matches": "x", "anchor": "y2"},
        yaxis2=style.axis(
            "ηλ_max (no unit)",
            domain=[0.0, SPLIT - 0.04],
            range=[0.0, 1.1 * max(LIMIT, style.reach(stability))],
        ),
    )


def _asked(result: RunResult, sizes: np.ndarray) -> float:
    """Return the η that was asked for: the config's, else the one found at the start."""
    given = (result.config or {}).get("step_size")
    return float(given or result.latest.get("step_size") or sizes.max())


def _line(x, y, name: str, color=style.GREEN, symbol="diamond", dash=None) -> Trace:
    stroke = {"color": color, "dash": dash or style.REFRESHED["dash"], "width": 2}
    trace = style.line(x, y, name, line=stroke)
    return trace | {
        "mode": "lines+markers",
        "marker": {"symbol": symbol, "size": 7, "color": color},
    }


def _limit(steps: np.ndarray) -> dict:
    stroke = {"color": style.VERMILLION, "width": 1.5, "dash": "dot"}
    across = {"xref": "paper", "x0": 0, "x1": 1, "yref": "y2", "y0": LIMIT, "y1": LIMIT}
    return {"type": "line", "line": stroke} | across


PANEL = Panel(
    name="stages",
    order=36,
    question="How far have the features come, and are the steps of every stage stable?",
    shows=lambda result: len(result.latest.get("refreshed.stage_step", ())) > 0,
    draw=figure,
)
