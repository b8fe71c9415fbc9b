"""Curves along √hα, one a width: where they lie on each other, only √hα matters.

The same along α, where they stand apart by √h.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lazycore.figures import crosses, finding, quantity, style
from lazycore.figures.bands import LOOKS
from lazycore.figures.phasecounts import early, number, seeds_said
from lazycore.figures.phasemap import TITLES
from lazycore.figures.style import Figure, Trace
from lazycore.papers.feature_lazy.phases import Cube, collapse, fluctuations
from lazycore.papers.feature_lazy.phases.cube import mean_of_known
from lazycore.results.plane import FEWEST_FOR_A_BAND
from lazycore.results.quantities.kernel import KERNEL_CHANGE

MOST = len(LOOKS)


@dataclass(frozen=True)
class Curves:
    """Values of every width and √hα, (H, A), with a band where there is one, and guides.

    guides: (power of √hα, from √hα, to √hα, what it is).
    """

    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray
    guides: tuple[tuple[float, float, float, str], ...] = ()


def kernel_change(cube: Cube, in_alpha: bool = False) -> Figure:
    """Return ‖ΔΘ‖/‖Θ₀‖ along √hα, with the theory's powers on both sides."""
    depth = cube.depth
    guides = ((-1.0, 1e2, 1e6, "−1"),)
    if depth is not None:
        power = -2.0 * depth / (depth + 1.0)
        said = f"−2L/(L+1) = {power:.3g}".replace("-", "−")
        guides = ((power, 1e-4, 1e0, said), *guides)
    curves = _of_seeds(cube, cube.values["kernel_change"], guides)
    apart = collapse.spread(cube.means("kernel_change"))
    apart = apart[np.isfinite(apart)]
    said = f"; widths within {apart.max():.2f} decades" if apart.size and not in_alpha else ""
    return _figure(
        cube,
        curves,
        in_alpha,
        title="Change of the kernel",
        subtitle=f"{_bands_said(cube)}{said}",
        y=_log_axis(quantity.title(KERNEL_CHANGE.name, None), curves.middle),
        alt=f"Relative change of the tangent kernel along √hα for each width{said}.",
    )


def rescaled_error(cube: Cube, in_alpha: bool = False) -> Figure:
    """Return (ε − min)/(max − min) of each width's test error along √hα > 0.1."""
    middle = collapse.rescaled_error(cube)
    nothing = np.full(middle.shape, np.nan)
    kept = cube.scales > collapse.RESCALED_ABOVE
    return _figure(
        cube,
        Curves(middle, nothing, nothing),
        in_alpha,
        title="Test error, rescaled",
        subtitle=f"0 and 1: each width's least and largest; {seeds_said(cube)}",
        y=style.axis("(ε − min)/(max − min) (no unit)", range=[-0.08, 1.08]),
        alt="Test error rescaled to between 0 and 1 for each width, along √hα.",
        kept=kept,
    )


def half_time(cube: Cube, in_alpha: bool = False) -> Figure:
    """Return t_{L/2}/(√hα) along √hα: flat in the feature phase, falling as 1/√hα in the lazy."""
    curves = _of_seeds(cube, collapse.half_time(cube), ((-1.0, 1e2, 1e6, "−1"),))
    return _figure(
        cube,
        curves,
        in_alpha,
        title="Time to half of the loss, over √hα",
        subtitle=f"t<sub>L/2</sub>: loss below half; {_bands_said(cube)}",
        y=_log_axis("t<sub>L/2</sub>/(√h α) (flow time)", curves.middle),
        alt="Time at which the loss is halved over √hα, along √hα, for each width.",
    )


def scaled_variance(cube: Cube, in_alpha: bool = False) -> Figure:
    """Return h·Var along √hα, a line a width: they lie on each other where δF ~ h^(−1/2)."""
    found = fluctuations.variances(cube)
    shape = cube.status.shape[:2]
    value, low, high = (
        (np.full(shape, np.nan),) * 3 if found is None else (found.value, found.low, found.high)
    )
    by = cube.widths[:, None]
    return _figure(
        cube,
        Curves(by * value, by * np.where(low > 0.0, low, np.nan), by * high),
        in_alpha,
        title="Fluctuations, h · Var",
        subtitle=f"over {number(cube)} initial weights, 95 % by resampling shaded{early(cube)}",
        y=style.axis("h · Var (output units²)", True),
        alt="Width times variance of the outputs over initial weights, along √hα.",
    )


def _of_seeds(cube: Cube, values: np.ndarray, guides: tuple = ()) -> Curves:
    """Return geometric means of (H, A, S) positive values, 10–90 % of the seeds as the band."""
    kept = np.where(values > 0.0, values, np.nan)
    count = np.isfinite(kept).sum(-1)
    logs = np.log(kept)
    middle = np.exp(mean_of_known(logs))
    low, high = np.full(count.shape, np.nan), np.full(count.shape, np.nan)
    for place in np.argwhere(count >= FEWEST_FOR_A_BAND):
        place = tuple(place)
        known = kept[place][np.isfinite(kept[place])]
        low[place], high[place] = np.quantile(known, (0.1, 0.9))
    return Curves(middle, low, high, guides)


def _log_axis(title: str, values: np.ndarray) -> dict:
    """Return an upright axis over all decades of the values: here none of them is noise."""
    known = values[np.isfinite(values) & (values > 0.0)]
    if not known.size:
        return style.axis(title, True)
    ends = np.log10([known.min(), known.max()])
    return style.axis(title, True, range=[ends[0] - 0.4, ends[1] + 0.8], nticks=7)


def _bands_said(cube: Cube) -> str:
    count = len(cube.seeds)
    shaded = ", 10–90 % shaded" if count >= FEWEST_FOR_A_BAND else ""
    return seeds_said(cube) + shaded


def _figure(
    cube: Cube,
    curves: Curves,
    in_alpha: bool,
    *,
    kept: np.ndarray | None = None,
    y: dict,
    alt: str,
    **words: str,
) -> Figure:
    rows = spread_out(len(cube.widths))
    by = np.sqrt(cube.widths) if in_alpha else np.ones(len(cube.widths))
    names = [f"h = {width:g}" for width in cube.widths]
    data = [
        trace
        for row, (color, symbol) in zip(rows, LOOKS, strict=False)
        for trace in banded(
            cube.scales / by[row],
            curves.middle[row],
            names[row],
            color,
            symbol,
            low=curves.low[row],
            high=curves.high[row],
        )
    ]
    shown = np.ones(len(cube.scales), bool) if kept is None else kept
    x = np.array([cube.scales[shown] / by[row] for row in rows])
    wrong = cube.ended_early()[rows][:, shown]
    data += crosses.on_curves(x, curves.middle[rows][:, shown], wrong)
    if not in_alpha:
        data += [t for g in curves.guides for t in _guide(cube.scales, curves.middle, *g)]
    ends = np.log10([x.min(), x.max()] if x.size else cube.scales[[0, -1]])
    empty = not any(v is not None for trace in data for v in trace["y"])
    return style.figure(
        data,
        x=style.axis(TITLES[in_alpha], True, range=[ends[0] - 0.3, ends[1] + 0.3], nticks=7),
        y=y | ({"showticklabels": False} if empty else {}),
        alt=f"{alt} {_ends(curves.middle[rows][:, shown], names)}",
        height=420,
        hovermode="closest",
        annotations=[style.note("nothing measured yet")] if empty else [],
        **words,
    )


def _ends(middle: np.ndarray, names: Sequence[str]) -> str:
    """Return what each line comes from and to along the axis."""
    went = (f"{name} {finding.course(row)}" for name, row in zip(names, middle, strict=True))
    return finding.sentences(part for part in went if " from " in part)


def spread_out(count: int, most: int = MOST) -> list[int]:
    """Return at most `most` of so many rows, evenly spread, both ends among them."""
    return sorted({round(i) for i in np.linspace(0, count - 1, min(count, most))})


def banded(
    x: np.ndarray,
    middle: np.ndarray,
    name: str,
    color: str,
    symbol: str,
    *,
    low: np.ndarray | None = None,
    high: np.ndarray | None = None,
    dash: str = "solid",
) -> list[Trace]:
    """Return a marked line over x, in a band where both `low` and `high` are known."""
    there = np.isfinite(middle)
    nothing = np.full(len(x), np.nan)
    low, high = nothing if low is None else low, nothing if high is None else high
    sure = np.isfinite(low) & np.isfinite(high)
    around = x[sure].tolist()
    band = {
        "type": "scatter",
        "mode": "lines",
        "name": f"{name}: band",
        "x": around + around[::-1],
        "y": style.numbers(np.concatenate([high[sure], low[sure][::-1]])),
        "fill": "toself",
        "fillcolor": color + "2E",
        "line": {"width": 0, "color": color},
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": name,
    }
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "legendgroup": name,
        "x": x[there].tolist(),
        "y": style.numbers(middle[there]),
        "hovertemplate": f"{name}<br>%{{x:.3g}}: %{{y:.3g}}<extra></extra>",
        "line": {"color": color, "width": 2.5, "dash": dash},
        "marker": {"color": color, "symbol": symbol, "size": 7},
    }
    return [band, line] if sure.any() else [line]


def _guide(
    scales: np.ndarray, middle: np.ndarray, power: float, low: float, high: float, said: str
) -> list[Trace]:
    """Return a dotted line of this power, a little above the curves on its side."""
    inside = (scales >= 0.99 * low) & (scales <= 1.01 * high)
    if inside.sum() < 2 or not np.isfinite(middle[:, inside]).any():
        return []
    x = scales[inside]
    known = np.where(np.isfinite(middle), middle, -np.inf).max(0)[inside]
    ratio = known / x**power
    height = 4.0 * ratio[np.isfinite(ratio)].max() * x**power
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": f"slope {said}",
            "x": x.tolist(),
            "y": style.numbers(height),
            "hoverinfo": "skip",
            "line": {"color": style.GREY, "width": 2, "dash": "2px,4px"},
        }
    ]


CURVES: dict[str, Callable[..., Figure]] = {
    "kernel_change": kernel_change,
    "rescaled_error": rescaled_error,
    "half_time": half_time,
    "scaled_variance": scaled_variance,
}
"""Every figure of this file by its name."""


def places(values: Sequence[float], wanted: Sequence[float]) -> list[int]:
    """Return the places of those of `wanted` that are among the values, within a percent."""
    near = [int(np.abs(np.log(np.array(values) / w)).argmin()) for w in wanted]
    return [i for i, w in zip(near, wanted, strict=True) if abs(np.log(values[i] / w)) < 0.01]
