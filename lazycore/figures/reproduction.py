"""A figure of the paper: what was reported in grey, what is computed here over it.

The network is solid and its linearisation dashed, as everywhere; lines are told by their
marks too. From three runs on a line is a mean, the network's in a band of one standard
deviation, as the paper draws it; of fewer each run is a line.
"""

from collections.abc import Sequence

import numpy as np

from lazycore.figures import animation, finding, neurons, style
from lazycore.figures.style import Figure, Trace
from lazycore.papers.reproduction import Curve, Reproduction, Scale
from lazycore.results.plane import FEWEST_FOR_A_BAND
from lazycore.results.run import RunResult

LOOKS = {
    "nonlinear": (
        (style.BLUE, "circle"),
        (style.GREEN, "square"),
        (style.PURPLE, "diamond"),
        ("#A6761D", "cross"),
    ),
    "linearized": ((style.VERMILLION, "x"), (style.PURPLE, "triangle-up-open")),
}
SYMBOLS = ("circle-open", "square-open", "diamond-open", "cross-open")
MOST_MARKS = 40
"""Marks of one line."""


def figure(one: Reproduction, ours: Sequence[Curve], log: bool = True) -> Figure:
    """Return our curves over the reported ones; log: with the paper's logarithmic axes."""
    log_x, log_y = (log and scale.log for scale in (one.x, one.y))
    data: list[Trace] = []
    for number, curve in enumerate(one.reported()):
        data += _reported(curve, SYMBOLS[number % len(SYMBOLS)], log_x, log_y)
    count = dict.fromkeys(LOOKS, 0)
    for curve in ours:
        looks = LOOKS[curve.look]
        color, symbol = looks[count[curve.look] % len(looks)]
        count[curve.look] += 1
        data += _computed(curve, color, symbol, log_x, log_y)
    return style.figure(
        data,
        title=one.title,
        subtitle=_subtitle(one, ours),
        x=_axis(one.x, log_x),
        y=_axis(one.y, log_y),
        alt=_finding(one, ours),
        height=500,
        hovermode="closest",
        annotations=[] if any(len(c.x) for c in ours) else [style.note("nothing computed yet")],
    )


def _finding(one: Reproduction, ours: Sequence[Curve]) -> str:
    """Return how each line goes, as it was computed here and as it was reported."""
    computed = {curve.line: curve for curve in ours}
    reported = {curve.line: curve for curve in one.reported()}
    parts = [one.title, f"{one.y.title} against {one.x.title}"]
    for line in computed | reported:
        known = (("computed here", computed.get(line)), ("reported", reported.get(line)))
        went = [f"{how} {_went(c)}" for how, c in known if c and finding.finite(c.mean).size]
        parts.append(f"{line}: {'; '.join(went)}" if went else "")
    return finding.sentences(parts)


def _went(curve: Curve) -> str:
    """Return what a line comes from and to, and over which part of its axis."""
    there = np.isfinite(curve.mean)
    x = finding.finite(curve.x[there])
    over = f" over {finding.said(x[0])} to {finding.said(x[-1])}" if x.size else ""
    return f"{finding.course(curve.mean)}{over}"


def neurons_figure(result: RunResult, part: str) -> Figure:
    """Return the paths of the neurons of one run, under the name of its part of the figure; as
    in the paper with the marks where they end."""
    drawn = animation.at_frame(neurons.figure(result), -1)
    drawn["layout"]["title"]["text"] = part
    return drawn


def _subtitle(one: Reproduction, ours: Sequence[Curve]) -> str:
    most = max((int(c.counts.max()) for c in ours if len(c.counts)), default=0)
    said = ["grey: reported in the paper"] if one.reported() else []
    if most >= FEWEST_FOR_A_BAND:
        said.append("coloured: computed here, means; shaded: one standard deviation")
    elif most:
        said.append("coloured: computed here" + (", single runs" if most > 1 else ""))
    return "; ".join(said)


def _axis(scale: Scale, log: bool) -> dict:
    return style.axis(scale.title, log)


def _kept(curve: Curve, log_x: bool, log_y: bool) -> np.ndarray:
    kept = np.isfinite(curve.mean) & ~(log_x & (curve.x <= 0.0))
    return kept & ~(log_y & (curve.mean <= 0.0))


def _reported(curve: Curve, symbol: str, log_x: bool, log_y: bool) -> list[Trace]:
    kept = _kept(curve, log_x, log_y)
    name = f"{curve.line}, reported"
    band = _band(curve, kept & np.isfinite(curve.std), name, style.GREY, log_y)
    return [*band, _line(curve.x[kept], curve.mean[kept], name, style.GREY, symbol, "solid", 2.0)]


def _computed(curve: Curve, color: str, symbol: str, log_x: bool, log_y: bool) -> list[Trace]:
    kept = _kept(curve, log_x, log_y)
    if not kept.any():
        return []
    most, dash = int(curve.counts.max()), style.MODELS[curve.look]["dash"]
    name = curve.line if most == 1 else f"{curve.line} (N = {_seeds(curve)})"
    if most < FEWEST_FOR_A_BAND and curve.runs is not None:
        lines = [
            _line(curve.x[there], run[there], name, color, symbol, dash, 1.8)
            for run in curve.runs
            for there in [kept & np.isfinite(run)]
        ]
        return [one | {"showlegend": number == 0} for number, one in enumerate(lines)]
    sure = kept & (curve.counts >= FEWEST_FOR_A_BAND)
    # Where it lies on the network's, a second band would hide the first.
    band = _band(curve, sure, name, color, log_y) if curve.look == "nonlinear" else []
    return [*band, _line(curve.x[kept], curve.mean[kept], name, color, symbol, dash, 2.5)]


def _seeds(curve: Curve) -> str:
    ends = sorted({int(curve.counts.min()), int(curve.counts.max())})
    return "–".join(map(str, ends))


def _line(
    x: np.ndarray, y: np.ndarray, name: str, color: str, symbol: str, dash: str, width: float
) -> Trace:
    index = _thinned(x)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "legendgroup": name,
        "x": style.numbers(x[index]),
        "y": style.numbers(y[index]),
        "line": {"color": color, "dash": dash, "width": width},
        "marker": {"color": color, "symbol": symbol, "size": 7, "maxdisplayed": MOST_MARKS},
        "hovertemplate": f"{name}: %{{y:.4g}} at %{{x:.4g}}<extra></extra>",
    }


def _thinned(x: np.ndarray) -> np.ndarray:
    """Return the places of at most 300 points: of a long line more of those near its start,
    where a logarithmic axis shows each of them."""
    if len(x) <= style.MOST_POINTS:
        return np.arange(len(x))
    return np.unique(np.geomspace(1, len(x), style.MOST_POINTS).round().astype(int)) - 1


def _band(curve: Curve, kept: np.ndarray, name: str, color: str, log_y: bool) -> list[Trace]:
    low, high = curve.mean[kept] - curve.std[kept], curve.mean[kept] + curve.std[kept]
    if log_y:
        low = np.maximum(low, 0.1 * curve.mean[kept])  # a logarithm has no place for what is below
    x = curve.x[kept].tolist()
    if not x:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"{name}: one standard deviation",
            "x": x + x[::-1],
            "y": style.numbers(np.concatenate([high, low[::-1]])),
            "fill": "toself",
            "fillcolor": color + "2E",
            "line": {"width": 0, "color": color},
            "hoverinfo": "skip",
            "showlegend": False,
            "legendgroup": name,
        }
    ]
