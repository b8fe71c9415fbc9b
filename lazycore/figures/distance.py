"""The distance between the network and its linearisation: the gap that laziness closes."""

import numpy as np

from lazycore.figures import Panel, finding, quantity, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.quantities.apart import GAP, TEST_GAP
from lazycore.results.quantities.kernel import KERNEL_CHANGE
from lazycore.results.quantities.models import OUTPUT_CHANGE
from lazycore.results.run import RunResult


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return the output gap on training and test points, its floor and Theorem 2.3's bound.

    The gap is √(mean over points of ‖αh(w) − αh̄(w̄)‖²). Below the shaded floor, the error
    of the method, a gap is not a finding.
    """
    data = [*_floor(result, log), *_gaps(result, log), *_change(result, log), *_bound(result, log)]
    return style.figure(
        data,
        title="Distance: network to linearisation",
        subtitle=_subtitle(result),
        x=style.time_axis(log),
        y=style.axis(quantity.axis_title(GAP, result), log),
        alt=_finding(result),
        annotations=style.endings(result),
    )


def _finding(result: RunResult) -> str:
    """Return how large the gap gets, of what, and whether that is above the floor."""
    gap = finding.largest(GAP.values(result))
    change = finding.largest(OUTPUT_CHANGE.values(result, "linearized"))
    share = f", {gap / change:.2%} of the way that the outputs move" if change > 0.0 else ""
    tested = finding.largest(TEST_GAP.values(result))
    error, kernel = (
        result.numerical_error,
        finding.largest(KERNEL_CHANGE.values(result)),
    )
    side = "below" if gap < error else "above"
    return finding.sentences(
        [
            f"the gap between network and linearisation grows to {finding.said(gap)}{share}, "
            f"{finding.until(result)}",
            f"on test points to {finding.said(tested)}" if np.isfinite(tested) else "",
            f"this is {side} the numerical floor of {error:.1e}" if np.isfinite(error) else "",
            f"kernel change {finding.said(kernel)}" if np.isfinite(kernel) else "",
            "with the bound of Theorem 2.3" if style.has(result, "theory.theorem_2_3") else "",
        ]
    )


def _gaps(result: RunResult, log: bool) -> list[Trace]:
    traces = []
    for part, stroke in (("train", {"width": 2.5}), ("test", {"width": 1.5})):
        name = f"gap.{part}_output"
        if style.has(result, name):
            trace = style.line(
                result.time,
                result.series[name],
                f"gap, {part}",
                log=log,
                line={"color": style.GREEN} | stroke,
            )
            traces.append(style.with_marks(trace, "diamond") if part == "test" else trace)
    return traces


def _change(result: RunResult, log: bool) -> list[Trace]:
    """Return how far the linearised outputs have moved: what the gap is to be compared with."""
    name = "linearized.output_change"
    if not style.has(result, name):
        return []
    look = {"color": style.VERMILLION, "dash": "5px,4px", "width": 1.2}
    y = result.series[name]
    return [style.line(result.time, y, "linearised change", log=log, line=look)]


def _floor(result: RunResult, log: bool) -> list[Trace]:
    """Return the band below the error of the method."""
    error = result.numerical_error
    times = result.time[result.time > 0.0] if log else result.time
    if not (np.isfinite(error) and error > 0.0 and times.size):
        return []
    lowest = _lowest_gap(result)
    far = log and error < lowest * 1e-4
    ends = [float(times[0]), float(times[-1])]
    bottom = min(error, lowest) / 3.0 if log else 0.0
    band = {
        "type": "scatter",
        "mode": "lines",
        "x": [None] if far else ends + ends[::-1],
        "y": [None] if far else [error, error, bottom, bottom],
        "fill": "toself",
        "fillcolor": "rgba(128,128,128,0.22)",
        "line": {"width": 0, "color": style.GREY},
        "name": f"floor {error:.1e}" + (" (far below)" if far else ""),
        "hoverinfo": "skip",
    }
    return [band]


def _lowest_gap(result: RunResult) -> float:
    """Return the smallest positive gap that was recorded, ∞ where there is none."""
    names = [n for n in (GAP.name, TEST_GAP.name) if n in result.series]
    values = np.concatenate([result.series[n].ravel() for n in names] or [np.array([])])
    positive = values[np.isfinite(values) & (values > 0.0)]
    return float(positive.min(initial=np.inf))


def _bound(result: RunResult, log: bool) -> list[Trace]:
    name = "theory.theorem_2_3"
    if not style.has(result, name):
        return []
    look = {"color": style.PURPLE, "dash": "dot", "width": 2}
    y = result.series[name]
    return [style.line(result.time, y, "Theorem 2.3 bound", log=log, line=look)]


def _subtitle(result: RunResult) -> str:
    reason = result.latest.get("theory.reason")
    if style.has(result, "theory.theorem_2_3") or not reason:
        return PANEL.question
    return _wrapped(style.words(reason))


def _wrapped(text: str, width: int = 72) -> str:
    """Return the text in at most two lines of a subtitle."""
    if len(text) <= width:
        return text
    cut = text.rfind(" ", 0, width)
    rest = text[cut + 1 :]
    return f"{text[:cut]}<br>{rest if len(rest) <= width else rest[: width - 1] + '…'}"


PANEL = Panel(
    name="distance",
    order=20,
    question="How far apart are the outputs? Below the grey floor it is noise.",
    shows=lambda result: style.has(result, GAP.name),
    draw=figure,
)
