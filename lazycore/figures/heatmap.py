"""A sweep as a heat map: colour is the median over seeds, marks say why there is none.

Thin lines are contours of the quantity, the thick one is the border of the verdict.

A cell that is not there yet is hatched, one with a run that diverged, failed or ended on its
budget has a mark, so that no state rests on colour alone.
"""

from collections.abc import Sequence

import numpy as np

from lazycore.errors import ConfigError
from lazycore.figures import border, crosses, quantity, style
from lazycore.figures.crosses import DECORATION, RIM
from lazycore.figures.style import Figure, Trace
from lazycore.results.plane import Axis, Cell, Plane, plain
from lazycore.theory.contours import level_line

COLORS = "Cividis"
"""Even in lightness from dark to light, to every kind of colour vision and in print."""
DASHES = ("solid", "8px,5px", "2px,4px", "8px,4px,2px,4px")
MARKS = {
    "missing": ("not yet", "line-ne-open", 15),
    "diverged": ("diverged", "x-thin-open", 11),
    "failed": ("failed (!)", "circle-open", 15),
    "budget": ("ended on its budget", "hourglass-open", 11),
    "chosen": ("the chosen cell", "square-open", 20),
}
MOST_LEVELS = len(DASHES)


def parse_levels(text: str, name: str) -> tuple[float, ...]:
    """Return the contour levels in `text`, numbers by commas; the quantity's own for none."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts:
        return quantity.levels(name)
    try:
        levels = tuple(float(part) for part in parts)
    except ValueError:
        levels = (float("nan"),)
    if not all(np.isfinite(levels)) or len(levels) > MOST_LEVELS:
        raise ConfigError(
            f"levels={text[:40]} is not allowed: give at most {MOST_LEVELS} numbers by commas."
        )
    return tuple(dict.fromkeys(levels))


def figure(
    plane: Plane,
    levels: Sequence[float] = (),
    loss: str | None = None,
    chosen: Cell | None = None,
) -> Figure:
    """Return the plane as a heat map with contours and the border of the verdict.

    `text` of a cell is what hovering says.
    loss: of the runs, for the unit. chosen: a cell that is framed.
    """
    log = _log(plane)
    lines = [*border.traces(plane), *_contours(plane, levels, log)]
    data = [_colours(plane, log, loss), *lines, *_marks(plane, chosen)]
    missing = sum(cell.mark == "missing" for cell in plane.cells())
    total = sum(1 for _ in plane.cells())
    alt = (
        f"Heat map of {quantity.meaning(plane.quantity)} over {plane.x.name}"
        f"{' and ' + plane.y.name if plane.y else ''}: {total - missing} of {total} cells there"
        f"{_extremes(plane)}."
    )
    return style.figure(
        data,
        title=_capital(quantity.meaning(plane.quantity)),
        subtitle=_subtitle(plane),
        x=_axis(plane.x),
        y=_axis(plane.y) if plane.y else _axis_of_one_row(),
        alt=alt,
        height=440,
        hovermode="closest",
        margin={"l": 62, "r": 8, "t": 62, "b": 92},
    )


def _back(places: np.ndarray, log: bool) -> np.ndarray:
    return 10.0**places if log else places


def _log(plane: Plane) -> bool:
    values = plane.grid()
    finite = values[np.isfinite(values)]
    return quantity.is_log(plane.quantity) and bool((finite > 0.0).any())


def _heights(plane: Plane, log: bool) -> np.ndarray:
    values = plane.grid()
    if not log:
        return values
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(values > 0.0, np.log10(values), np.nan)


def _colours(plane: Plane, log: bool, loss: str | None) -> Trace:
    heights = _heights(plane, log)
    return {
        "type": "heatmap",
        "name": quantity.meaning(plane.quantity),
        "x": plane.x.places.tolist(),
        "y": plane.y.places.tolist() if plane.y else [0.0],
        "z": style.numbers(heights),
        "customdata": style.numbers(plane.grid()),
        "text": [[_said(plane, cell) for cell in row] for row in plane.rows],
        "hovertemplate": "%{text}<extra></extra>",
        "colorscale": COLORS,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {
            "title": {
                "text": quantity.unit(plane.quantity, loss),
                "side": "right",
                "font": {"size": 13},
            },
            "thickness": 14,
            "outlinewidth": 0,
            "len": 1.0,
        }
        | (_powers(heights) if log else {}),
    } | _range(heights)


def _range(heights: np.ndarray) -> dict:
    finite = heights[np.isfinite(heights)]
    if not finite.size or finite.min() == finite.max():
        middle = float(finite[0]) if finite.size else 0.0
        return {"zmin": middle - 0.5, "zmax": middle + 0.5} | (
            {} if finite.size else {"showscale": False}
        )
    return {"zmin": float(finite.min()), "zmax": float(finite.max())}


def _powers(heights: np.ndarray) -> dict:
    """Return the ticks of a colour bar whose heights are logarithms."""
    finite = heights[np.isfinite(heights)]
    low, high = float(finite.min()), float(finite.max())
    steps = (1.0,) if high - low > 3.0 else (1.0, 3.0) if high - low > 1.0 else (1.0, 2.0, 3.0, 5.0)
    decades = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    every = max(1, -(-len(decades) // 7))
    ticks = [10.0**d * s for d in decades[::every] for s in steps]
    return {
        "tickvals": np.log10(ticks).tolist(),
        "ticktext": [f"{t:g}" if 1e-4 < t < 1e5 else f"{t:.0e}" for t in ticks],
    }


def _said(plane: Plane, cell: Cell) -> str:
    """Return what hovering over a cell says."""
    lines = [plane.x.shown(cell.x)]
    if plane.y:
        lines.append(plane.y.shown(cell.y))
    if cell.count > 1:
        spread = f"{plain(cell.quantile(0.1))} to {plain(cell.quantile(0.9))}"
        lines.append(f"median <b>{plain(cell.median)}</b>, 10–90 %: {spread}")
    elif cell.count:
        lines.append(f"<b>{plain(cell.median)}</b>")
    if cell.count:
        lines.append(f"{cell.verdict}, N = {cell.count}")
    lines += [f"{MARKS[cell.mark][0]}"] if cell.mark else []
    said = dict.fromkeys(run.message for run in cell.runs if run.message)
    return "<br>".join([*lines, *(style.words(message[:80]) for message in list(said)[:2])])


def _contours(plane: Plane, levels: Sequence[float], log: bool) -> list[Trace]:
    if plane.y is None:
        return []
    heights, x, y = _heights(plane, log), plane.x.spaced, plane.y.spaced
    traces = []
    for level, dash in zip(levels, DASHES, strict=False):
        height = np.log10(level) if log and level > 0 else np.nan if log else level
        points = (
            level_line(x, y, heights, float(height)) if np.isfinite(height) else np.empty((0, 2))
        )
        common = {
            "type": "scatter",
            "mode": "lines",
            "x": style.numbers(_back(points[:, 0], plane.x.log)) or [None],
            "y": style.numbers(_back(points[:, 1], plane.y.log)) or [None],
            "hoverinfo": "skip",
        }
        name = f"contour {level:g}" + ("" if len(points) else " (nowhere)")
        rim = {"color": RIM, "width": 5}
        ink = {"color": style.VERMILLION, "width": 2.5, "dash": dash}
        traces += [
            common | {"name": f"{name}, rim", "line": rim} | DECORATION,
            common | {"name": name, "line": ink},
        ]
    return traces


def _marks(plane: Plane, chosen: Cell | None) -> list[Trace]:
    x, y = plane.x.places, plane.y.places if plane.y else np.zeros(1)
    at: dict[str, list[tuple[float, float]]] = {name: [] for name in MARKS}
    for j, row in enumerate(plane.rows):
        for i, cell in enumerate(row):
            place = (float(x[i]), float(y[j]))
            if cell.mark:
                at[cell.mark].append(place)
            if cell is chosen:
                at["chosen"].append(place)
    return [
        trace
        for name, places in at.items()
        for trace in (
            _mark(name, [places[k] for k in style.thinned(len(places))]) if places else ()
        )
    ]


def _mark(status: str, at: Sequence[tuple[float, float]]) -> list[Trace]:
    name, symbol, size = MARKS[status]
    quiet = status == "missing"
    color, width = (style.GREY, 1.5) if quiet else (style.VERMILLION, 3.0)

    def marker(color: str, width: float) -> dict:
        return {"symbol": symbol, "size": size, "color": color, "line": {"width": width}}

    common = {
        "type": "scatter",
        "mode": "markers",
        "x": [x for x, _ in at],
        "y": [y for _, y in at],
        "hoverinfo": "skip",
    }
    mark = common | {"name": name, "marker": marker(color, width)}
    if status == "failed":
        font = {"color": color, "size": 13, "weight": 700}
        mark |= {"mode": "markers+text", "text": ["!"] * len(at), "textfont": font}
    rim = common | {"name": f"{name}, rim", "marker": marker(RIM, width + 3)} | DECORATION
    return [mark] if quiet else [rim, mark]


def _axis(axis: Axis) -> dict:
    more = {"showgrid": False, "range": axis.ends}
    if not axis.is_number or len(axis.values) <= 6:
        more |= {
            "tickvals": axis.places.tolist(),
            "ticktext": [plain(value) for value in axis.values],
        }
    return style.axis(axis.label, axis.log, **more)


def _axis_of_one_row() -> dict:
    return style.axis("", showticklabels=False, showgrid=False, range=[-0.5, 0.5])


def _subtitle(plane: Plane) -> str:
    counts = sorted({cell.count for cell in plane.cells() if cell.count})
    early = crosses.said(plane.early)
    if not counts:
        return f"no cell has ended yet{early}"
    if counts == [1]:
        return f"one run a cell{early}; click a cell for its run"
    seeds = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"median over N = {seeds} seeds{early}; click a cell for its runs"


def _extremes(plane: Plane) -> str:
    """Return the least and the largest value and where they are, and how many cells are lazy."""
    cells = [cell for cell in plane.cells() if np.isfinite(cell.median)]
    if not cells:
        return ""
    ends = [choose(cells, key=lambda cell: cell.median) for choose in (min, max)]
    least, most = (f"{plain(cell.median)} at {_where(plane, cell)}" for cell in ends)
    verdicts = [cell.verdict for cell in cells]
    counts = ", ".join(f"{verdicts.count(v)} {v}" for v in dict.fromkeys(verdicts))
    return f", from {least} to {most}; cells by verdict: {counts}"


def _where(plane: Plane, cell: Cell) -> str:
    up = [plane.y.shown(cell.y)] if plane.y else []
    return " and ".join([plane.x.shown(cell.x), *up])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
