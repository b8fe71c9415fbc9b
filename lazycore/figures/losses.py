"""Training and test loss of the network and of its linearisation."""

from lazycore.figures import Panel, finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.run import RunResult


def curves(result: RunResult, quantity: str, log: bool) -> list[Trace]:
    """Return the training (thick) and test (thin, marked) curves of every model."""
    traces = []
    for part, width in (("train", 2.5), ("test", 1.5)):
        for model, look in style.LOOKS.items():
            name = f"{model}.{part}_{quantity}"
            if style.has(result, name):
                y = result.series[name]
                trace = style.model_line(
                    model, result.time, y, what=part, log=log, line={"width": width}
                )
                marked = part == "test"
                traces.append(style.with_marks(trace, look["symbol"]) if marked else trace)
    return traces


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return the losses R(αh) over flow time, not divided by α²."""
    return style.figure(
        curves(result, "loss", log),
        title="Loss",
        subtitle=PANEL.question,
        x=style.time_axis(log),
        y=style.axis(f"loss R(αh) ({style.loss_unit(result)})", log),
        alt=finding.sentences(
            [f"loss {finding.until(result)}", *finding.both_parts(result, "loss")]
        ),
        annotations=style.endings(result),
    )


PANEL = Panel(
    name="losses",
    order=10,
    question="Do the network and its linearisation learn the same, equally fast?",
    shows=lambda result: style.has(result, "nonlinear.train_loss"),
    draw=figure,
)
