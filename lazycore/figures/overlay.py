"""Several runs in one figure: each in a colour and with a mark of its own.

Solid is the network and dashed its linearisation, here as everywhere; which run it is, is
said by the colour and the mark. Groups of three seeds or more are a median in a band.
"""

from collections.abc import Sequence

import numpy as np

from lazycore.figures import finding, quantity, style
from lazycore.figures.bands import LOOKS
from lazycore.figures.style import Figure, Trace
from lazycore.results.groups import Group
from lazycore.results.plane import FEWEST_FOR_A_BAND
from lazycore.results.quantities import ALL
from lazycore.results.quantities.declared import Quantity
from lazycore.results.run import RunResult

POINTS = 120


CURVES: dict[str, Quantity] = {q.compared: q for q in ALL if q.compared}
"""The quantities over time that runs are compared by, by their names in links."""
USUAL = ("train_loss", "gap", "displacement", "kernel_change")


def models(curve: Quantity) -> tuple[tuple[str, str], ...]:
    """Return (model whose dash it has, name in the record) of each curve of a quantity."""
    if not curve.of:
        return (("nonlinear", curve.name),)
    return tuple((model, curve.key(model)) for model in style.MODELS if model in curve.of)


def shows(groups: Sequence[Group], curve: Quantity) -> bool:
    """Whether some run of these groups has the quantity."""
    return any(style.has(r, name) for g in groups for r in g.runs for _, name in models(curve))


def figure(groups: Sequence[Group], name: str, log: bool = True) -> Figure:
    """Return the curves `name` of these groups, at most six, over flow time."""
    curve = CURVES[name]
    log_y = log and curve.log
    data: list[Trace] = []
    for group, (color, symbol) in zip(groups, LOOKS, strict=False):
        for model, series in models(curve):
            data += _curves(group, model, series, color, symbol, log, log_y)
    if len(models(curve)) > 1 and data:
        data += [_key(model) for model in style.MODELS]
    runs = [run for group in groups for run in group.runs]
    units = " / ".join(dict.fromkeys(quantity.unit_of(curve, run) for run in runs))
    return style.figure(
        data,
        title=curve.title[:1].upper() + curve.title[1:],
        subtitle=_subtitle(groups, len(models(curve)) > 1),
        x=style.time_axis(log),
        y=quantity.y_axis(f"{curve.title} ({units})", log_y),
        alt=finding.sentences(
            [curve.title, *(_went(group, curve) for group in groups)],
        ),
        height=400,
        hovermode="closest",
    )


def _went(group: Group, curve: Quantity) -> str:
    """Return how the quantity went in a group: the median run's first and last value."""
    said = []
    for model, series in models(curve):
        records = [_record(r, series)[1] for r in group.runs if style.has(r, series)]
        ends = [finding.finite(y)[[0, -1]] for y in records if finding.finite(y).size]
        if ends:
            went = finding.course(np.median(ends, axis=0))
            said.append(went if model == "nonlinear" else f"linearised {went}")
    return f"{group.label} {', '.join(said) or 'no value'}"


def _subtitle(groups: Sequence[Group], both: bool) -> str:
    lines = "solid: network, dashed: linearisation" if both else "a line for each run or group"
    bands = any(len(group.runs) >= FEWEST_FOR_A_BAND for group in groups)
    return lines + ("; medians, 10–90 % of the seeds shaded" if bands else "")


def _curves(
    group: Group, model: str, series: str, color: str, symbol: str, log: bool, log_y: bool
) -> list[Trace]:
    runs = [run for run in group.runs if style.has(run, series)]
    if not runs:
        return []
    network = model == "nonlinear"
    name = group.name + ("" if network else ", linearised")
    bands: list[Trace] = []
    lines = [_record(run, series) for run in runs]
    if len(runs) >= FEWEST_FOR_A_BAND:
        times, (low, median, high) = quantiles(runs, series, (0.1, 0.5, 0.9))
        kept = ~(log_y & (low <= 0.0))
        band = _band(times[kept], low[kept], high[kept], name, color)
        bands, lines = [band | {"legendgroup": group.label}], [(times, median)]
    look = {
        "line": {"color": color, "dash": style.MODELS[model]["dash"], "width": 2.2},
        "legendgroup": group.label,
        "hovertemplate": f"{name}: %{{y:.4g}} at t = %{{x:.4g}}<extra></extra>",
    }
    drawn = [style.line(*_kept(x, y, log, log_y), name, **look) for x, y in lines]
    return bands + [
        style.with_marks(trace, symbol if network else f"{symbol}-open")
        | {"showlegend": network and number == 0}
        for number, trace in enumerate(drawn)
    ]


def _record(run: RunResult, series: str) -> tuple[np.ndarray, np.ndarray]:
    if series in run.sparse:
        return run.kernel_time, run.sparse[series]
    return run.time, run.series[series]


def _kept(x: np.ndarray, y: np.ndarray, log_x: bool, log_y: bool) -> tuple[np.ndarray, np.ndarray]:
    kept = np.isfinite(y) & ~(log_x & (x <= 0.0)) & ~(log_y & (y <= 0.0))
    return x[kept], y[kept]


def quantiles(
    runs: Sequence[RunResult], series: str, shares: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return common times, and the quantiles of the runs at them, (shares, times).

    Runs record at times of their own: they are interpolated over log t, up to the end of the
    shortest. A run that ended early has no value from there on.
    """
    records = [_record(run, series) for run in runs]
    begin = max(float(t[t > 0.0][0]) for t, _ in records if (t > 0.0).any())
    end = min(float(t[-1]) for t, _ in records if t.size and t[-1] > 0.0)
    times = np.geomspace(begin, max(end, begin), POINTS)
    rows = np.array([_interpolated(times, t, y) for t, y in records])
    known = np.isfinite(rows).sum(axis=0) >= FEWEST_FOR_A_BAND
    return times[known], np.nanquantile(rows[:, known], shares, axis=0)


def _interpolated(times: np.ndarray, t: np.ndarray, y: np.ndarray) -> np.ndarray:
    kept = np.isfinite(y) & (t > 0.0)
    if not kept.any():
        return np.full(len(times), np.nan)
    # geomspace ends a rounding error beside where it was told to.
    last = t[kept][-1] * (1.0 + 1e-9)
    # What is positive is interpolated as its logarithm: losses fall by decades between records.
    falls = bool((y[kept] > 0.0).all())
    known = np.log(y[kept]) if falls else y[kept]
    values = np.interp(np.log(times), np.log(t[kept]), known)
    values = np.exp(values) if falls else values
    return np.where(times <= last, values, np.nan)


def _band(times: np.ndarray, low: np.ndarray, high: np.ndarray, name: str, color: str) -> Trace:
    x = times.tolist()
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{name}: 10 and 90 %",
        "x": x + x[::-1],
        "y": style.numbers(np.concatenate([high, low[::-1]])),
        "fill": "toself",
        "fillcolor": color + "2E",
        "line": {"width": 0, "color": color},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _key(model: str) -> Trace:
    look = style.MODELS[model]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": look["name"],
        "x": [None],
        "y": [None],
        "line": {"color": style.GREY, "dash": look["dash"], "width": 2.2},
        "hoverinfo": "skip",
    }
