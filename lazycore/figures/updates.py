"""Test error against the number of feature updates, with gradient descent and lazy training."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazycore.config.refreshing import updates
from lazycore.figures import finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.run import RunResult

FEWEST = 3
"""Seeds from which on a band is drawn."""
LEVELS = {"nonlinear": "gradient descent, every step", "linearized": "lazy, never again"}


def figure(results: Sequence[RunResult], log: bool = True, chosen: int | None = None) -> Figure:
    """Return the test error at the end of runs that differ in K and in seeds, over ⌈T/K⌉.

    A line through the medians over seeds, each run a mark, diverged ones at the top; gradient
    descent and the lazy model as level lines, each with a band from smallest to largest where
    there are three seeds or more. Without classes, the test loss.

    chosen: the number of updates that is marked.
    """
    name, unit = _quantity(results)
    by_count: dict[int, list[float]] = {}
    for result in results:
        last = result.series.get(f"refreshed.{name}", np.array([np.nan]))[-1]
        by_count.setdefault(_updates(result), []).append(float(last))
    counts = np.array(sorted(by_count), dtype=float)
    levels = {m: _finals(results, f"{m}.{name}") for m in LEVELS}
    finite = [v for values in (*by_count.values(), *levels.values()) for v in values]
    highest = float(np.nanmax(finite, initial=0.0)) or 1.0
    diverged = [c for c in counts for v in by_count[int(c)] if not np.isfinite(v)]
    data = [*_bands(counts, by_count), *_path(counts, by_count)]
    for model, values in levels.items():
        data += _level(model, counts, values)
    data += _diverged(diverged, 1.08 * highest)
    seeds = max(len(values) for values in by_count.values())
    drawn = "median, smallest and largest" if seeds >= FEWEST else "single runs"
    said = f"N = {seeds} of each; {len(diverged)} of {len(results)} runs diverged"
    shapes = [_chosen(chosen)] if chosen else []
    form: dict[str, Any] = {"tickformat": ".0%"} if name == "test_error" else {}
    return style.figure(
        data,
        title="How many feature updates does it take?",
        subtitle=f"at the end of the run; {drawn}, {said}",
        x=style.axis("feature updates ⌈T/K⌉ (count)", log),
        y=style.axis(f"{unit[0]} ({unit[1]})", range=[-0.04 * highest, 1.16 * highest], **form),
        alt=_finding(unit[0], by_count, levels, said),
        shapes=shapes,
        height=420,
    )


def _finding(
    what: str, by_count: dict[int, list[float]], levels: dict[str, list[float]], said: str
) -> str:
    """Return how the median goes with the number of updates, and the levels it lies between."""
    counts = sorted(by_count)
    went = finding.course([_median(by_count[count]) for count in counts])
    own = [f"{LEVELS[m]} {finding.said(_median(v))}" for m, v in levels.items() if v]
    over = f"over {counts[0]:,} to {counts[-1]:,} feature updates"
    return finding.sentences(
        [f"{what} of iterative linearisation go {went} {over}, medians", ", ".join(own), said]
    )


def _quantity(results: Sequence[RunResult]) -> tuple[str, tuple[str, str]]:
    if all(style.has(result, "nonlinear.test_error") for result in results):
        return "test_error", ("misclassified test points", "share")
    part = "test" if all(style.has(r, "nonlinear.test_loss") for r in results) else "training"
    name = "test_loss" if part == "test" else "train_loss"
    return name, (f"loss on the {part} points", style.loss_unit(results[0]))


def _updates(result: RunResult) -> int:
    """Return ⌈T/K⌉: what was meant, also of a run that ended before."""
    config = result.config or {}
    return updates(int(config["steps"]), int(config["refresh_every"]))


def _finals(results: Sequence[RunResult], name: str) -> list[float]:
    """Return the last value of each run that has one: the same of all K that share a seed."""
    return [float(r.series[name][-1]) for r in results if name in r.series]


def _path(counts: np.ndarray, by_count: dict[int, list[float]]) -> list[Trace]:
    look = style.REFRESHED
    medians = np.array([_median(by_count[int(c)]) for c in counts])
    stroke = {"color": look["color"], "dash": look["dash"], "width": 2.5}
    every = np.array([(c, v) for c in counts for v in by_count[int(c)]])
    marks = style.line(every[:, 0], every[:, 1], "single runs")
    marker = {"symbol": look["symbol"], "size": 8, "color": look["color"]}
    return [
        style.line(counts, medians, f"{look['name']}, median", line=stroke),
        marks | {"mode": "markers", "marker": marker},
    ]


def _bands(counts: np.ndarray, by_count: dict[int, list[float]]) -> list[Trace]:
    known = {c: [v for v in by_count[int(c)] if np.isfinite(v)] for c in counts}
    wide = [c for c in counts if len(known[c]) >= FEWEST]
    if len(wide) < 2:
        return []
    low, high = [min(known[c]) for c in wide], [max(known[c]) for c in wide]
    return [_filled([*wide, *wide[::-1]], [*low, *high[::-1]], style.REFRESHED["color"])]


def _level(model: str, counts: np.ndarray, values: list[float]) -> list[Trace]:
    known = sorted({round(v, 12) for v in values if np.isfinite(v)})
    if not known:
        return []
    ends = np.array([counts.min() / 1.3, counts.max() * 1.3])
    look = style.LOOKS[model]
    stroke = {"color": look["color"], "dash": look["dash"], "width": 2.0}
    line = style.line(ends, np.full(2, _median(known)), LEVELS[model], line=stroke)
    if len(known) < FEWEST:
        return [line]
    band = _filled([*ends, *ends[::-1]], [known[0]] * 2 + [known[-1]] * 2, look["color"])
    return [band, line]


def _filled(x: Sequence[float], y: Sequence[float], color: str) -> Trace:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "smallest to largest",
        "x": style.numbers(x),
        "y": style.numbers(y),
        "fill": "toself",
        "fillcolor": f"rgba({red},{green},{blue},0.14)",
        "line": {"width": 0, "color": color},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _diverged(counts: Sequence[float], height: float) -> list[Trace]:
    if not counts:
        return []
    marker = {"symbol": "x-thin-open", "size": 12, "color": style.VERMILLION, "line": {"width": 2}}
    trace = style.line(np.array(counts), np.full(len(counts), height), "diverged")
    return [trace | {"mode": "markers", "marker": marker}]


def _chosen(count: int) -> dict:
    stroke = {"color": style.GREY, "width": 1, "dash": "dot"}
    return {"type": "line", "x0": count, "x1": count, "yref": "paper", "y0": 0, "y1": 1} | {
        "line": stroke,
        "xref": "x",
    }


def _median(values: Sequence[float]) -> float:
    finite = [v for v in values if np.isfinite(v)]
    return float(np.median(finite)) if finite else float("nan")
