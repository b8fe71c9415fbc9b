"""The phase diagram: width against α, the test error in colour, contours of the kernel's change.

In α the border between the phases leans as h^(−1/2); in √hα it stands level. A column of the
map is a width: in α its cells are shifted, so each is drawn by itself, all on one scale.
"""

from collections.abc import Sequence

import numpy as np

from lazycore.figures import crosses, finding, heatmap, style
from lazycore.figures.crosses import DECORATION, RIM
from lazycore.figures.phasecounts import counted, seeds_said
from lazycore.figures.style import Figure, Trace
from lazycore.papers.feature_lazy.phases import Cube, collapse
from lazycore.papers.feature_lazy.phases import crossover as at

LEVELS = (1e-4, 1e-2, 1.0, 100.0)
BORDER = 1.0
X_TITLE = "width h (hidden units per layer)"
TITLES = {False: "√h α (no unit)", True: "α (no unit)"}


def figure(cube: Cube, in_alpha: bool = False, levels: Sequence[float] = LEVELS) -> Figure:
    """Return the phase diagram of a cube, the upright axis √hα, or with `in_alpha` α.

    Colour is the mean test error over the seeds that reached their end; a cross marks a place
    of which a run failed, diverged or ended on its budget. levels: of ‖ΔΘ‖/‖Θ₀‖, at most four.
    """
    errors = collapse.test_error(cube)
    data = [*_columns(cube, errors, in_alpha), *_contours(cube, levels, in_alpha)]
    data += _crosses(cube, in_alpha)
    ends = _ends(np.log10(cube.scales))
    shift = 0.5 * np.log10(cube.widths) if in_alpha else np.zeros(1)
    known = errors[np.isfinite(errors)]
    least = f", test error from {known.min():.3g} to {known.max():.3g}" if known.size else ""
    return style.figure(
        data,
        title="Two phases",
        subtitle=f"colour: test error, lines: ‖ΔΘ‖/‖Θ₀‖; {seeds_said(cube)}",
        x=_axis(X_TITLE, _ends(np.log10(cube.widths)), cube.widths),
        y=_axis(TITLES[in_alpha], np.array([ends[0] - shift.max(), ends[-1] - shift.min()])),
        alt=f"Phase diagram over the width and {TITLES[in_alpha]}: {cube.status.size} runs"
        f"{least}. {_border_said(cube)}{counted(cube)}",
        height=460,
        hovermode="closest",
        coloraxis=_colour_axis(known),
        margin={"l": 62, "r": 8, "t": 62, "b": 92},
    )


def _border_said(cube: Cube) -> str:
    """Return where the kernel changes by its own size, in a sentence; "" where it does nowhere."""
    border = finding.finite(at.line(cube, BORDER)[:, 1])
    if not border.size:
        return ""
    ends = f"{finding.said(border.min())} to {finding.said(border.max())}"
    return f"The kernel changes by its own size at √hα = {ends}. "


def short(value: float) -> str:
    """Return a number as it stands in a legend: a whole power of ten beyond 1000 as one."""
    power = np.log10(value) if value > 0.0 else 0.0
    if abs(power) < 2.5 or abs(power - round(power)) > 1e-9:
        return f"{value:.4g}"
    return f"10<sup>{round(power)}</sup>".replace("-", "−")


def _columns(cube: Cube, errors: np.ndarray, in_alpha: bool) -> list[Trace]:
    x, y = 10.0 ** _ends(np.log10(cube.widths)), 10.0 ** _ends(np.log10(cube.scales))
    changes = cube.means("kernel_change")
    traces = []
    for i, width in enumerate(cube.widths):
        by = np.sqrt(width) if in_alpha else 1.0
        traces.append(
            {
                "type": "heatmap",
                "name": f"test error, h = {width:g}",
                "x": [float(x[i]), float(x[i + 1])],
                "y": (y / by).tolist(),
                "z": [[value] for value in style.numbers(errors[i])],
                "customdata": [[value] for value in style.numbers(errors[i])],
                "text": [
                    [_said(cube, i, j, errors[i, j], changes[i, j])] for j in range(len(y) - 1)
                ],
                "hovertemplate": "%{text}<extra></extra>",
                "coloraxis": "coloraxis",
                "meta": {"x": [float(width)], "y": (cube.scales / by).tolist()},
            }
        )
    return traces


def _said(cube: Cube, i: int, j: int, error: float, change: float) -> str:
    """Return what hovering over a place says."""
    h, scale = cube.widths[i], cube.scales[j]
    done = int((cube.status[i, j] == "done").sum())
    lines = [f"h = {h:g}, √hα = {scale:.4g}, α = {scale / np.sqrt(h):.4g}"]
    lines += [f"test error <b>{error:.3g}</b>"] if np.isfinite(error) else []
    lines += [f"‖ΔΘ‖/‖Θ₀‖ = {change:.3g}"] if np.isfinite(change) else []
    wrong = [s for s in cube.status[i, j] if s != "done"]
    others = "".join(f", {wrong.count(s)} {s}" for s in dict.fromkeys(wrong))
    return "<br>".join([*lines, f"N = {done}{others}"])


def _contours(cube: Cube, levels: Sequence[float], in_alpha: bool) -> list[Trace]:
    traces = []
    for level, dash in zip(levels, heatmap.DASHES, strict=False):
        points = at.line(cube, level)
        x, y = points[:, 0], points[:, 1]
        y = y / np.sqrt(x) if in_alpha else y
        common = {
            "type": "scatter",
            "mode": "lines",
            "x": style.numbers(x) or [None],
            "y": style.numbers(y) or [None],
            "hoverinfo": "skip",
        }
        name = f"contour {short(level)}" + ("" if len(points) else " (nowhere)")
        rim = {"color": RIM, "width": 6 if level == BORDER else 5}
        width = 3.5 if level == BORDER else 2.0
        ink = {"color": style.VERMILLION, "width": width, "dash": dash}
        traces += [
            common | {"name": f"{name}, rim", "line": rim} | DECORATION,
            common | {"name": name, "line": ink},
        ]
    return traces


def _crosses(cube: Cube, in_alpha: bool) -> list[Trace]:
    places = np.argwhere(cube.ended_early() > 0)
    x = cube.widths[places[:, 0]]
    y = cube.scales[places[:, 1]] / (np.sqrt(x) if in_alpha else 1.0)
    return crosses.at(x.tolist(), y.tolist(), int(cube.ended_early().sum()))


def _ends(at: np.ndarray) -> np.ndarray:
    """Return where cells at these places begin and end, (k + 1,), halfway to the next."""
    if len(at) == 1:
        return np.array([at[0] - 0.3, at[0] + 0.3])
    middle = (at[1:] + at[:-1]) / 2.0
    return np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])


def _axis(title: str, ends: np.ndarray, ticks: np.ndarray | None = None) -> dict:
    more: dict = {"showgrid": False, "range": [float(ends[0]), float(ends[-1])]}
    if ticks is not None and len(ticks) <= 8:
        more |= {"tickvals": ticks.tolist(), "ticktext": [f"{v:g}" for v in ticks]}
    return style.axis(title, True, **more)


def _colour_axis(known: np.ndarray) -> dict:
    bar = {"thickness": 14, "outlinewidth": 0, "len": 1.0}
    title = {"text": "test error (share)", "side": "right", "font": {"size": 13}}
    ends = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if ends[0] == ends[1]:
        ends = (ends[0] - 0.01, ends[1] + 0.01)
    return {
        "colorscale": heatmap.COLORS,
        "cmin": ends[0],
        "cmax": ends[1],
        "colorbar": bar | {"title": title},
        "showscale": bool(known.size),
    }
