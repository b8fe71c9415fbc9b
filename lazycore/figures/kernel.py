"""The tangent kernel: does the network keep the features it was born with?"""

import numpy as np

from lazycore.figures import Panel, finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.quantities.kernel import ALIGNMENT, KERNEL_CHANGE
from lazycore.results.run import RunResult
from lazycore.results.verdict import LAZY_KERNEL_CHANGE, RICH_KERNEL_CHANGE


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return ‖Θ_t − Θ₀‖/‖Θ₀‖ above, and the kernel's alignment with the labels below.

    Below a change of 0.1 a run can be lazy, above 1 it is rich. The linearisation keeps its
    kernel by definition: its alignment is a level line.
    """
    data = _change(result, log)
    lower = _alignment(result, log)
    share = 0.44 if lower else 0.0
    layout = {}
    if lower:
        layout["xaxis2"] = style.time_axis(log, matches="x", anchor="y2")
        layout["yaxis2"] = style.axis(
            f"alignment ({ALIGNMENT.unit})", domain=[0.0, share - 0.04], range=[0, 1.02]
        )
    top_x = style.time_axis(log) | {"anchor": "y"}
    if lower:
        top_x |= {"title": {"text": ""}, "showticklabels": False}
    return style.figure(
        data + lower,
        title="Tangent kernel",
        subtitle=PANEL.question,
        x=top_x,
        y=style.axis(
            f"relative change ({KERNEL_CHANGE.unit})",
            log,
            domain=[share + 0.04 if lower else 0.0, 1.0],
        ),
        alt=_finding(result),
        shapes=[style.level(v) for v in (LAZY_KERNEL_CHANGE, RICH_KERNEL_CHANGE)],
        annotations=[
            _label("lazy below 0.1", LAZY_KERNEL_CHANGE, log),
            _label("rich above 1", RICH_KERNEL_CHANGE, log),
            *style.endings(result),
        ],
        **layout,
    )


def _finding(result: RunResult) -> str:
    """Return how far the kernel moved, on which side of the thresholds, and its alignment."""
    change = finding.largest(KERNEL_CHANGE.values(result))
    lazy, rich = LAZY_KERNEL_CHANGE, RICH_KERNEL_CHANGE
    side = f"below the {lazy:g} that is lazy" if change < lazy else f"above {lazy:g}, lazy's limit"
    side = f"above the {rich:g} that is rich" if change > rich else side
    aligned = finding.course(ALIGNMENT.values(result))
    return finding.sentences(
        [
            f"the tangent kernel changes by {finding.said(change)} of its size, {side}, "
            f"{finding.until(result)}",
            f"its alignment with the labels goes {aligned}" if aligned else "",
        ]
    )


def _change(result: RunResult, log: bool) -> list[Trace]:
    trace = style.model_line("nonlinear", result.kernel_time, KERNEL_CHANGE.values(result), log=log)
    return [trace | {"mode": "lines+markers", "marker": {"size": 5, "color": style.BLUE}}]


def _alignment(result: RunResult, log: bool) -> list[Trace]:
    if not style.has(result, ALIGNMENT.name):
        return []
    values, times = ALIGNMENT.values(result), result.kernel_time
    pair: Trace = {"xaxis": "x2", "yaxis": "y2"}
    own = style.model_line("nonlinear", times, values, log=log) | pair | {"showlegend": False}
    finite = np.isfinite(values)
    still = np.full_like(times, values[finite][0])
    # The one with a legend entry: the upper half has no line of the linearisation.
    return [own, style.model_line("linearized", times, still, log=log) | pair]


def _label(text: str, level: float, log: bool) -> dict:
    # Annotations on a log axis are placed by the logarithm; shapes are not.
    y = float(np.log10(level)) if log else level
    return style.note(text, yref="y", y=y, x=0.01, xanchor="left", yanchor="bottom")


PANEL = Panel(
    name="kernel",
    order=35,
    question="Does the network keep its features, or grow new ones?",
    shows=lambda result: style.has(result, KERNEL_CHANGE.name),
    draw=figure,
)
