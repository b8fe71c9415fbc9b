"""Share of misclassified points, of the network and of its linearisation."""

from lazycore.figures import Panel, finding, style
from lazycore.figures.losses import curves
from lazycore.figures.style import Figure
from lazycore.results.run import RunResult


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return the share of points with y·f ≤ 0 (arg max ≠ y for k classes) over flow time."""
    x = style.time_axis(log)
    # Zero errors have no logarithm and are the best there is, so the share stays linear.
    traces = curves(result, "error", log=False)
    if log:
        first = result.time[result.time > 0.0].min(initial=float("inf"))
        traces = [t | _after(t, first) for t in traces]
    return style.figure(
        traces,
        title="Classification error",
        subtitle=PANEL.question,
        x=x,
        y=style.axis("misclassified (share of points)", tickformat=".0%", rangemode="tozero"),
        alt=finding.sentences(
            [
                f"share of misclassified points {finding.until(result)}",
                *finding.both_parts(result, "error", ".1%"),
            ]
        ),
        annotations=style.endings(result),
    )


def _after(trace: style.Trace, first: float) -> style.Trace:
    kept = [i for i, t in enumerate(trace["x"]) if t is not None and t >= first]
    return {axis: [trace[axis][i] for i in kept] for axis in ("x", "y")}


PANEL = Panel(
    name="errors",
    order=40,
    question="Does what it learns sort the points, and does it sort new ones?",
    shows=lambda result: style.has(result, "nonlinear.train_error"),
    draw=figure,
)
