"""What goes with the width: the border α*(h), the fluctuations, and single networks' errors."""

from collections.abc import Mapping, Sequence

import numpy as np

from lazycore.figures import crosses, finding, phasemap, style
from lazycore.figures.bands import LOOKS
from lazycore.figures.phasecounts import between, early, number
from lazycore.figures.phasecurves import banded, places
from lazycore.figures.style import Figure, Trace
from lazycore.papers.feature_lazy.phases import Cube, fluctuations, gap
from lazycore.papers.feature_lazy.phases import crossover as at
from lazycore.papers.feature_lazy.phases.cube import mean_of_known
from lazycore.results.plane import FEWEST_FOR_A_BAND
from lazycore.theory.bootstrap import Interval

SHOWN = (1e-4, 1e-2, 1.0, 1e2, 1e4, 1e6)
"""√hα of which the fluctuations are drawn against h, where the sweep has them."""


def border(cubes: Sequence[Cube]) -> Figure:
    """Return α*(h), where ‖ΔΘ‖ = ‖Θ₀‖: a dot a seed, their geometric mean, fit and −1/2.

    cubes: the sweep, and what a bisection has added to it.
    """
    found = at.border(cubes)
    widths = found.widths
    with np.errstate(invalid="ignore"):
        means = np.exp(mean_of_known(np.log(found.alphas)))
    there = np.isfinite(means)
    dots = np.isfinite(found.alphas)
    data: list[Trace] = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "one network",
            "x": np.repeat(widths, dots.sum(1)).tolist(),
            "y": style.numbers(found.alphas[dots]),
            "marker": {"color": style.GREY, "symbol": "circle", "size": 6, "opacity": 0.55},
            "hovertemplate": "h = %{x}: α* = %{y:.4g}<extra></extra>",
        },
        *banded(widths, means, "geometric mean", style.BLUE, "circle"),
    ]
    lost = ~dots & (cubes[0].status != "done").any(1) & (cubes[0].status != "missing").all(1)
    data += crosses.on_curves(widths, means, lost.sum(1))
    if there.any():
        data.append(_power(widths[there], means[there], at.EXPONENT, "slope −1/2", 1.5))
    said = f"slope {said_of(found.exponent)}" if found.exponent else "too few widths for a slope"
    return style.figure(
        data,
        title="The border α*(h)",
        subtitle=f"α* where ‖ΔΘ‖ = ‖Θ₀‖; {said}, {between(dots.sum(1), 0)}{early(cubes[0])}",
        x=_x_axis(widths),
        y=style.axis("α* (no unit)", True),
        alt=f"Border of the two phases against the width: {said}, −1/2 expected.",
        height=420,
        hovermode="closest",
        annotations=[] if there.any() else [style.note("no width has a border yet")],
    )


def variance(cube: Cube) -> Figure:
    """Return Var against h at several √hα, with its intervals, fits and the slope −1."""
    found = fluctuations.variances(cube)
    data: list[Trace] = []
    if found is not None:
        shown = _shown(cube)[: len(LOOKS)]
        for i, (color, symbol) in zip(shown, LOOKS, strict=False):
            exponent = found.exponents[i]
            fit = f", slope {exponent.value:.2f}".replace("-", "−") if exponent else ""
            low = np.where(found.low[:, i] > 0.0, found.low[:, i], np.nan)
            name = f"√hα = {phasemap.short(cube.scales[i])}{fit}"
            line = (cube.widths, found.value[:, i], name, color, symbol)
            data += banded(*line, low=low, high=found.high[:, i])
        data += _crosses(cube, shown, found.value)
        top = np.nanmax(np.where(np.isfinite(found.value), found.value, -np.inf), axis=1)
        if np.isfinite(top).any():
            data.append(_power(cube.widths, top, -1.0, "slope −1", 1.8))
    return style.figure(
        data,
        title="Variance of the outputs",
        subtitle=f"over {number(cube)} initial weights and test points; 95 % shaded{early(cube)}",
        x=_x_axis(cube.widths),
        y=style.axis("Var of αh (output units²)", True),
        alt=_spread_said(cube, found),
        height=420,
        hovermode="closest",
        annotations=[] if data else [style.note("these runs have kept no outputs")],
    )


def ensemble(cube: Cube, feature: float, lazy: float) -> Figure:
    """Return the test errors of single networks and of the mean of all seeds', against h.

    feature, lazy: √hα of the two sides; the nearest that the sweep has are drawn.
    """
    found = fluctuations.errors(cube)
    data: list[Trace] = []
    if found is not None:
        for side, scale, color in (
            ("feature", feature, style.BLUE),
            ("lazy", lazy, style.VERMILLION),
        ):
            i = gap.nearest(cube.scales, scale)
            where = f"{side} (√hα = {phasemap.short(cube.scales[i])})"
            sure = found.seeds[:, i] >= FEWEST_FOR_A_BAND
            low, high = (np.where(sure, part[:, i], np.nan) for part in (found.low, found.high))
            single = (cube.widths, found.single[:, i], f"{where}, single", color, "circle")
            data += banded(*single, low=low, high=high)
            mean = (cube.widths, found.ensemble[:, i], f"{where}, ensemble", color, "diamond-open")
            data += banded(*mean, dash="2px,4px")
        sides = [gap.nearest(cube.scales, scale) for scale in (feature, lazy)]
        data += _crosses(cube, sides, found.single)
    return style.figure(
        data,
        title="Single networks and their ensemble",
        subtitle=f"{number(cube)} networks (10–90 % shaded), their mean (dotted){early(cube)}",
        x=_x_axis(cube.widths),
        y=style.axis("test error (share)"),
        alt=_errors_said(cube, found, {"feature": feature, "lazy": lazy}),
        height=420,
        hovermode="closest",
        annotations=[] if data else [style.note("these runs have kept no outputs")],
    )


def _spread_said(cube: Cube, found: fluctuations.Variances | None) -> str:
    """Return how the variance goes with the width at each √hα that is shown."""
    parts = ["variance of the outputs over initial weights against the width, power −1 expected"]
    for i in [] if found is None else _shown(cube)[: len(LOOKS)]:
        assert found is not None
        power = f", power {said_of(exponent)}" if (exponent := found.exponents[i]) else ""
        if went := finding.course(found.value[:, i]):
            parts.append(f"√hα = {cube.scales[i]:g}: {went}{power}")
    return finding.sentences(parts)


def _errors_said(cube: Cube, found: fluctuations.Errors | None, sides: Mapping[str, float]) -> str:
    """Return how single networks and their ensemble err, from the least width to the largest."""
    parts = ["test error of single networks and of the mean of all their outputs, by width"]
    for side, scale in {} if found is None else sides.items():
        assert found is not None
        i = gap.nearest(cube.scales, scale)
        single, mean = (finding.course(e[:, i], ".1%") for e in (found.single, found.ensemble))
        if single:
            parts.append(f"{side}, √hα = {cube.scales[i]:g}: single {single}, ensemble {mean}")
    return finding.sentences(parts)


def said_of(found: Interval) -> str:
    """Return an exponent with its interval in words."""
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})".replace("-", "−")


def _crosses(cube: Cube, scales: Sequence[int], values: np.ndarray) -> list[Trace]:
    """Return crosses on values (H, A) against h at these √hα, where runs ended early."""
    x = np.repeat(cube.widths[:, None], len(scales), axis=1)
    return crosses.on_curves(x, values[:, scales], cube.ended_early()[:, scales])


def _shown(cube: Cube) -> list[int]:
    return places(cube.scales.tolist(), SHOWN) or list(range(min(len(cube.scales), len(LOOKS))))


def _power(x: np.ndarray, y: np.ndarray, power: float, name: str, above: float) -> Trace:
    """Return a dotted line of this power through the middle of (x, y), this much above it."""
    known = np.isfinite(y) & (y > 0.0)
    height = np.exp(np.mean(np.log(y[known]) - power * np.log(x[known])))
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x.tolist(),
        "y": style.numbers(above * height * x**power),
        "hoverinfo": "skip",
        "line": {"color": style.GREY, "width": 2, "dash": "2px,4px"},
    }


def _x_axis(widths: np.ndarray) -> dict:
    ticks = {"tickvals": widths.tolist(), "ticktext": [f"{v:g}" for v in widths]}
    return style.axis(phasemap.X_TITLE, True, **(ticks if len(widths) <= 8 else {}))
