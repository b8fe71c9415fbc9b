"""How many hidden units keep the side of zero that they started on."""

from lazycore.figures import Panel, style
from lazycore.figures.style import Figure
from lazycore.results import RunResult


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return the share of (training point, unit) pairs whose pre-activation keeps its sign."""
    trace = style.model_line("nonlinear", result.time, result.series["activation_stability"])
    x = style.time_axis(log)
    if log:
        kept = [i for i, t in enumerate(trace["x"]) if t]
        trace |= {key: [trace[key][i] for i in kept] for key in ("x", "y")}
    return style.figure(
        [trace],
        title="Stability of activations",
        subtitle=PANEL.question,
        x=x,
        y=style.axis("unchanged (share of pairs)", tickformat=".0%"),
        alt="Share of hidden pre-activations that keep their initial sign over flow time.",
        annotations=style.endings(result),
        showlegend=True,
    )


PANEL = Panel(
    name="stability",
    order=60,
    question="How many hidden units keep the side of zero they began on?",
    shows=lambda result: style.has(result, "activation_stability"),
    draw=figure,
)
