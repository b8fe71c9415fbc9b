"""A measured curve under the bound of a theorem, or beside the slope that it gives."""

from collections.abc import Sequence

import numpy as np

from lazycore.figures import finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.papers.theorem import BELOW, BOUND, OUTSIDE, Line
from lazycore.results.run import RunResult

LOOKS = {
    "nonlinear": {"color": style.BLUE, "dash": "solid"},
    "linearized": {"color": style.VERMILLION, "dash": "5px,4px"},
    "gap": {"color": style.GREEN, "dash": "solid"},
}


def figure(lines: Sequence[Line], result: RunResult, log: bool = True) -> Figure:
    """Return these lines on common axes, each measured one under what the theorem says of it.

    A bound is dotted and violet; what is none (an estimate from below, a slope, a bound whose
    hypotheses fail) is grey, and its kind is in its name.
    """
    data = [trace for number, line in enumerate(lines) for trace in _traces(line, number, log)]
    first = lines[0]
    return style.figure(
        _without_repeats(data),
        title=_title(lines),
        subtitle=sentence(first),
        x=style.time_axis(log and not first.exponential),
        y=style.axis(f"{first.name if len(lines) == 1 else 'distance'} ({first.unit})", log),
        alt=finding.sentences(
            [
                *(
                    f"{line.name} {finding.course(line.measured)}, at most "
                    f"{finding.said(finding.largest(line.measured))}, {finding.until(result)}"
                    for line in lines
                ),
                sentence(first),
            ]
        ),
        annotations=style.endings(result),
        height=360,
    )


def sentence(line: Line) -> str:
    """Return the largest ratio of measured to bound over the run, in a sentence."""
    if line.bound is None:
        return "the theorem has no explicit constants here: see its rates"
    if line.ratio is None:
        return "no bound at any time: its hypotheses fail"
    if line.kind not in (BOUND, BELOW, OUTSIDE):
        return f"grey: {line.kind}"
    if line.kind == BOUND:
        verb = "stays below" if line.ratio <= 1.0 else "EXCEEDS"
        return f"measured {verb} the bound: at most {line.ratio:.3g} of it"
    return f"grey: {line.kind}; measured over it at most {line.ratio:.3g}"


def _title(lines: Sequence[Line]) -> str:
    return lines[0].group or lines[0].name


def _traces(line: Line, number: int, log: bool) -> list[Trace]:
    look = LOOKS[line.model] | {"width": 2.5 if number == 0 else 1.8}
    y = line.measured
    x_log = log and not line.exponential
    data = [_curve(line.time, y, line.name, log, x_log, line=look)]
    if number and line.model == "gap":
        data = [style.with_marks(data[0], "diamond")]
    if line.bound is not None:
        is_bound = line.kind == BOUND
        stroke = {"color": style.PURPLE if is_bound else style.GREY, "width": 2}
        stroke |= {"dash": "dot" if is_bound else "longdashdot"}
        name = "bound of the theorem" if is_bound else line.kind
        data.append(_curve(line.time, line.bound, name, log, x_log, line=stroke))
    return data


def _curve(x: np.ndarray, y: np.ndarray, name: str, log: bool, x_log: bool, **look) -> Trace:
    """Return a line without the points that its axes cannot show."""
    kept = np.isfinite(y) & ((y > 0.0) | (not log)) & ((x > 0.0) | (not x_log))
    return style.line(x[kept], y[kept], name, **look)


def _without_repeats(data: list[Trace]) -> list[Trace]:
    """Return the traces without second copies of one line that several are compared with."""
    found: list[Trace] = []
    for trace in data:
        if not any(t["name"] == trace["name"] and t["y"] == trace["y"] for t in found):
            found.append(trace)
    return found
