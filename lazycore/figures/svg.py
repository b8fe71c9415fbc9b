"""Small finished pictures of runs: on the screen before plotly has arrived, and without it.

How a line looks stands at the line: a style sheet in a picture would reach the whole notebook.
"""

from collections.abc import Sequence
from html import escape

import numpy as np

from lazycore.figures import finding, style
from lazycore.results.cards import WHOLE
from lazycore.results.run import RunResult

WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 50, 14, 26, 44
MOST_POINTS = 80
INK = "#7B8593"
"""A grey that is read on white and on near-black: an image does not know the page's theme."""
CURVES = (("train_loss", 2.4, 1.0), ("test_loss", 1.3, 0.75))

Range = tuple[float, float]


def losses(result: RunResult, y_range: Range | None = None) -> str:
    """Return the training (thick) and test (thin) losses of both models as an SVG, log axes.

    Several pictures share a scale when they are given the same `y_range` (`loss_range`).
    """
    y_range = y_range or loss_range([result])
    times = result.time[result.time > 0.0]
    if not times.size or y_range is None:
        return _frame("no curve yet", "")
    x_range = (float(times.min()), float(times.max()))
    lines = [
        _polyline(result, model, name, x_range, y_range, width, opacity)
        for name, width, opacity in CURVES
        for model in style.MODELS
    ]
    return _frame(finding_of(result), _axes(x_range, y_range) + "".join(lines))


def finding_of(result: RunResult) -> str:
    """Return in words what the picture shows: how the losses of both models went."""
    alpha = (result.config or {}).get("alpha")
    kind = f"{result.verdict} run" if result.status in WHOLE else "run on its way"
    where = f" at α = {alpha:g}" if alpha else ""
    return finding.sentences(
        [
            f"losses of a {kind}{where} {finding.until(result)}",
            *finding.both_parts(result, "loss"),
        ]
    )


def gaps(places: Sequence[tuple[float, float, str]], *, x_name: str, level: float) -> str:
    """Return the relative gaps of many runs along an axis, log axes, a mark for each verdict.

    places: (x, gap, verdict) of each run; "" for one that has no verdict. level: a dotted line.
    """
    shown = [(x, y, word) for x, y, word in places if x > 0.0 and y > 0.0 and np.isfinite(y)]
    if not shown:
        return _frame("no gap yet", "")
    xs, ys = [x for x, _, _ in shown], [level, *(y for _, y, _ in shown)]
    x_range, y_range = (min(xs) * 0.8, max(xs) * 1.25), (min(ys) * 0.7, max(ys) * 1.4)
    at = _place(level, y_range, HEIGHT - BOTTOM, TOP)
    marks = [
        _mark(
            _place(x, x_range, LEFT, WIDTH - RIGHT),
            _place(y, y_range, HEIGHT - BOTTOM, TOP),
            word,
            f"{x:.4g}: gap {y:.3g}, {word or 'no verdict'}",
        )
        for x, y, word in shown
    ]
    lines = [
        _axes(x_range, y_range, escape(x_name), "largest gap, of the way"),
        _line(f"M{LEFT},{at:.1f}H{WIDTH - RIGHT}", dash="2 4"),
        _text(WIDTH - RIGHT, at - 4, f"{level:.0%}", "end"),
    ]
    return _frame(f"Gaps of {len(shown)} runs along {x_name}", "".join([*lines, *marks]))


def _mark(x: float, y: float, word: str, title: str) -> str:
    """Return the mark of a verdict: its colour, and a shape of its own."""
    color = style.VERDICTS.get(word, style.GREY)
    shapes = {
        "lazy": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{color}">',
        "crossover": f'<path d="M{x - 4:.1f},{y - 4:.1f}h8v8h-8z" fill="{color}">',
        "rich": f'<path d="M{x:.1f},{y - 6:.1f}l6,6l-6,6l-6,-6z" fill="{color}">',
    }
    hollow = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="none" stroke="{color}">'
    found = shapes.get(word, hollow)
    return f"{found}<title>{escape(title)}</title></{found[1 : found.index(' ')]}>"


def loss_range(results: list[RunResult]) -> Range | None:
    """Return the smallest and the largest positive loss that these runs recorded."""
    names = [f"{model}.{name}" for model in style.MODELS for name, *_ in CURVES]
    values = [r.series[n].ravel() for r in results for n in names if n in r.series]
    joined = np.concatenate(values) if values else np.array([])
    joined = joined[np.isfinite(joined) & (joined > 0.0)]
    if not joined.size:
        return None
    low, high = float(joined.min()), float(joined.max())
    return (low * 0.8, high * 1.25)


def _place(value: float, span: Range, start: float, end: float) -> float:
    low, high = np.log(span[0]), np.log(span[1])
    share = (np.log(value) - low) / ((high - low) or 1.0)
    return start + float(share) * (end - start)


def _polyline(
    result: RunResult, model: str, name: str, x: Range, y: Range, width: float, opacity: float
) -> str:
    values = result.series.get(f"{model}.{name}")
    if values is None:
        return ""
    kept = np.flatnonzero((result.time > 0.0) & np.isfinite(values) & (values > 0.0))
    kept = kept[style.thinned(len(kept), MOST_POINTS)]
    path = " ".join(
        f"{_place(float(result.time[i]), x, LEFT, WIDTH - RIGHT):.1f},"
        f"{_place(float(values[i]), y, HEIGHT - BOTTOM, TOP):.1f}"
        for i in kept
    )
    look = style.MODELS[model]
    dash = ' stroke-dasharray="6 4"' if model == "linearized" else ""
    return (
        f'<polyline points="{path}" fill="none" stroke="{look["color"]}" '
        f'stroke-width="{width}" opacity="{opacity}" stroke-linejoin="round"{dash}/>'
    )


def _decades(span: Range, most: int) -> list[int]:
    powers = list(range(int(np.ceil(np.log10(span[0]))), int(np.floor(np.log10(span[1]))) + 1))
    return powers[:: -(-len(powers) // most)] if powers else []


def _axes(x: Range, y: Range, x_title: str = "flow time t", y_title: str = "loss R(αh)") -> str:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [_line(f"M{LEFT},{TOP}V{bottom}H{right}")]
    for power in _decades(y, 4):
        at = _place(10.0**power, y, bottom, TOP)
        parts.append(_line(f"M{LEFT},{at:.1f}H{right}", opacity=0.25))
        parts.append(_text(LEFT - 6, at + 5, _power(power), "end"))
    for power in _decades(x, 4):
        at = _place(10.0**power, x, LEFT, right)
        parts.append(_text(at, bottom + 18, _power(power), "middle"))
    parts.append(_text((LEFT + right) / 2, HEIGHT - 6, x_title, "middle"))
    parts.append(_text(2, 13, y_title, "start"))
    return "".join(parts)


def _power(power: int) -> str:
    return f'10<tspan dy="-4" font-size="11">{power}</tspan>'


def _text(x: float, y: float, content: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}">{content}</text>'


def _line(path: str, opacity: float = 1.0, dash: str = "none") -> str:
    return (
        f'<path d="{path}" fill="none" stroke="{INK}" opacity="{opacity:g}" '
        f'stroke-dasharray="{dash}"/>'
    )


def _frame(alt: str, body: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(alt)}" xmlns="http://www.w3.org/2000/svg" '
        f'font-family="sans-serif" font-size="15">{body}</svg>'
    )
