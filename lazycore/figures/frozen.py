"""Models trained with the kernel frozen as it is at some time: how much of it is in the kernel."""

import numpy as np

from lazycore.figures import Panel, finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.run import RunResult

KERNELS = {
    "frozen": ("kernel of all layers", style.GREEN, "circle"),
    "frozen_last_layer": ("kernel of the last layer", style.PURPLE, "diamond"),
}


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return the test error of models with frozen kernels, over the time of their kernel.

    Levels: the network at its end, the linearisation at its own; the latter is what the
    initial kernel comes to.
    """
    kernels = [_points(result, name, log) for name in KERNELS if _has(result, name)]
    known = [m for m in style.MODELS if style.has(result, f"{m}.test_error")]
    ends = {m: _final(result.series[f"{m}.test_error"]) for m in known}
    span = [t for trace in kernels for t in trace["x"]]
    levels = [_end(model, error, span) for model, error in ends.items() if span]
    last = result.latest.get("frozen.correlation")
    told = "" if last is None else f" Final outputs correlate by {last[-1]:.3f} with its own."
    return style.figure(
        [*levels, *kernels],
        title="Trained with a frozen kernel",
        subtitle=PANEL.question + told,
        x=style.axis("flow time t at which the kernel is frozen", log),
        y=style.axis("test error (share of points)", tickformat=".0%", rangemode="tozero"),
        alt=_finding(result, ends),
        annotations=style.endings(result),
        showlegend=True,
    )


def _finding(result: RunResult, ends: dict[str, float]) -> str:
    """Return how the error goes with the time of the kernel, and both models' own."""
    went = [
        f"{words} {finding.course(result.sparse[f'{name}.test_error'], '.1%')}"
        for name, (words, *_) in KERNELS.items()
        if _has(result, name)
    ]
    own = [f"{style.MODELS[m]['name']} {error:.1%}" for m, error in ends.items()]
    over = "test error of models trained with the kernel frozen at some time, the first to the last"
    return finding.sentences(
        [f"{over}: {', '.join(went)}", f"at their own ends: {', '.join(own)}" if own else ""]
    )


def _points(result: RunResult, name: str, log: bool) -> Trace:
    words, color, symbol = KERNELS[name]
    errors, times = result.sparse[f"{name}.test_error"], _shown_times(result, log)
    there = np.isfinite(errors) & (times > 0.0 if log else times >= 0.0)
    stroke = {"color": color, "width": 2, "dash": "dot"}
    trace = style.line(times[there], errors[there], words, line=stroke)
    return trace | {
        "mode": "lines+markers",
        "marker": {"size": 7, "symbol": symbol, "color": color},
    }


def _shown_times(result: RunResult, log: bool) -> np.ndarray:
    """Return the kernel times; on a log axis the first, 0, a decade before the second."""
    times = result.kernel_time.copy()
    if log and len(times) > 1 and times[0] == 0.0:
        times[0] = 0.1 * times[1]
    return times


def _end(model: str, error: float, span: list[float]) -> Trace:
    look = style.MODELS[model]
    stroke = {"color": look["color"], "dash": look["dash"], "width": 2}
    x = np.array([min(span), max(span)])
    return style.line(x, np.full(2, error), f"{look['name']}, at its end", line=stroke)


def _final(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if finite.size else float("nan")


def _has(result: RunResult, name: str) -> bool:
    return style.has(result, f"{name}.test_error")


PANEL = Panel(
    name="frozen",
    order=39,
    question="Is what the network learned in its kernel?",
    shows=lambda result: _has(result, "frozen"),
    draw=figure,
)
