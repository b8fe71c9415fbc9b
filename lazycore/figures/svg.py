"""A small finished picture of a run's losses: on the screen before plotly has arrived."""

from html import escape

import numpy as np

from lazycore.figures import finding, style
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
    where = f" at α = {alpha:g}" if alpha else ""
    return finding.sentences(
        [
            f"losses of a {result.verdict} run{where} {finding.until(result)}",
            *finding.both_parts(result, "loss"),
        ]
    )


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


def _axes(x: Range, y: Range) -> str:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [f'<path d="M{LEFT},{TOP}V{bottom}H{right}" class="axis"/>']
    for power in _decades(y, 4):
        at = _place(10.0**power, y, bottom, TOP)
        parts.append(f'<path d="M{LEFT},{at:.1f}H{right}" class="grid"/>')
        parts.append(_text(LEFT - 6, at + 5, _power(power), "end"))
    for power in _decades(x, 4):
        at = _place(10.0**power, x, LEFT, right)
        parts.append(_text(at, bottom + 18, _power(power), "middle"))
    parts.append(_text((LEFT + right) / 2, HEIGHT - 6, "flow time t", "middle"))
    parts.append(_text(2, 13, "loss R(αh)", "start"))
    return "".join(parts)


def _power(power: int) -> str:
    return f'10<tspan dy="-4" font-size="11">{power}</tspan>'


def _text(x: float, y: float, content: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{content}</text>'


def _frame(alt: str, body: str) -> str:
    look = (
        f"<style>text{{fill:{INK};font:15px sans-serif}}"
        f"path{{stroke:{INK};fill:none}}.grid{{opacity:.25}}</style>"
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{escape(alt)}" xmlns="http://www.w3.org/2000/svg">{look}{body}</svg>'
    )
