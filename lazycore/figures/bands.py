"""A sweep as lines: a quantity along one axis, a line a value of the other, bands over seeds.

Fitted exponents have intervals resampled over the seeds, and the slope that a theorem gives
stands beside them, dashed grey, with the theorem's name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lazycore.config.spec import bounded_slope
from lazycore.figures import crosses, finding, onsets, quantity, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.onset import Onset
from lazycore.results.plane import FEWEST_FOR_A_BAND, Cell, Plane, plain
from lazycore.theory import bootstrap
from lazycore.theory import lazy as theory
from lazycore.theory.bootstrap import Interval

LOOKS = (
    (style.BLUE, "circle"),
    (style.VERMILLION, "square"),
    (style.GREEN, "diamond"),
    (style.PURPLE, "triangle-up"),
    ("#A6761D", "cross"),
    (style.GREY, "star"),
)
"""A colour and a mark for each line, so that neither has to be told alone."""
MOST_LINES = len(LOOKS)
FEWEST = 3


@dataclass(frozen=True)
class Guide:
    """A power of α that a theorem gives for a quantity."""

    exponent: float
    source: str


@dataclass(frozen=True)
class Fit:
    """A measured exponent of one line. `over`: the places along x that it was fitted over."""

    label: str
    exponent: Interval
    over: tuple[float, ...]
    lazy: bool

    @property
    def measured(self) -> str:
        """Return the exponent and its interval."""
        shown = [f"{v:.2f}" for v in (self.exponent.value, self.exponent.low, self.exponent.high)]
        return f"{shown[0]} ({shown[1]}, {shown[2]})".replace("-", "−")


def guide(plane: Plane, config: dict) -> Guide | None:
    """Return the power of α that a theorem gives for this quantity, None where none does."""
    centred = config.get("zero_output") != "none"
    if plane.x.name not in ("alpha", "alpha_sqrt_width") or not config:
        return None
    if plane.quantity in ("largest_gap", "final_gap", "relative_gap"):
        power = theory.predicted_gap_slope(config["zero_output"], bounded_slope(config))
        # Without h(w0) = 0 what the gap is compared with grows as well: no theorem on the ratio.
        known = power is not None and (centred or plane.quantity != "relative_gap")
        source = "Theorem 2.2" if power == -1.0 else "paired copies" if centred else "h(w₀) ≠ 0"
        return Guide(power, source) if power is not None and known else None
    if plane.quantity == "final_displacement" and centred:
        return Guide(-1.0, "Theorem 2.2")
    if plane.quantity == "final_parameter_gap" and config.get("zero_output") == "centered":
        return Guide(-2.0, "Theorem 2.2")
    return None


def fits(plane: Plane, rows: Sequence[int]) -> list[Fit]:
    """Return the exponent of each of these rows that three or more places give one for.

    Over the lazy places where three are lazy, else over all: the theorems are about α → ∞.
    """
    return [found for row in rows for found in [_fit(plane, row)] if found]


def _fit(plane: Plane, row: int) -> Fit | None:
    if not plane.x.log:
        return None
    cells = plane.rows[row]
    counted = np.array([cell.count > 0 and _is_a_finding(plane, cell) for cell in cells])
    lazy = counted & np.array([cell.verdict == "lazy" for cell in cells])
    kept = lazy if lazy.sum() >= FEWEST else counted
    x = plane.x.places[kept]
    values = [row_of[kept] for row_of in plane.by_seed(row).values()]
    found = bootstrap.exponent(x, values) if values else None
    over = tuple(float(v) for v in x)
    return Fit(_label(plane, row), found, over, lazy.sum() >= FEWEST) if found else None


def _is_a_finding(plane: Plane, cell: Cell) -> bool:
    """Whether the value is above the error of the method: a gap below it is undecided."""
    return "gap" not in plane.quantity or cell.verdict != "undecided"


def figure(
    plane: Plane,
    rows: Sequence[int],
    config: dict | None = None,
    log: bool = True,
    lazy_from: Sequence[Onset | None] = (),
) -> Figure:
    """Return the quantity along x for these rows of the plane, at most six.

    With three seeds or more a row is its median in a band from the 10th to the 90th
    percentile, with fewer each run is a line of its own. config: of any run, for the theorem.
    lazy_from: where runs get lazy in each row of the plane (`lazycore.results.onset.along`), to be
    drawn.
    """
    log_y = log and quantity.is_log(plane.quantity)
    loss = (config or {}).get("loss")
    data: list[Trace] = []
    for row, (color, symbol) in zip(rows, LOOKS, strict=False):
        data += _line(plane, row, color, symbol, log_y)
    data += _guide_line(plane, rows, config or {}, log_y)
    data += _crosses(plane, rows[:MOST_LINES])
    along = "medians, 10–90 % of the seeds shaded" if _has_bands(plane, rows) else "single runs"
    along += crosses.said(sum(cell.early for row in rows for cell in plane.rows[row]))
    empty = not any(trace["x"] for trace in data)
    drawn = [
        (lazy_from[row], color)
        for row, (color, _) in zip(rows, LOOKS, strict=False)
        if row < len(lazy_from)
    ]
    shapes, notes = onsets.marks(plane, drawn, log_y)
    return style.figure(
        data,
        title=f"Along {plane.x.said}",
        subtitle=along,
        x=_x_axis(plane),
        y=quantity.y_axis(quantity.title(plane.quantity, loss), log_y)
        | {"showticklabels": not empty},
        alt=finding.sentences(
            [
                f"{quantity.meaning(plane.quantity)} along {plane.x.said}, {along}",
                *(_went(plane, row) for row in rows[:MOST_LINES]),
            ]
        ),
        height=440,
        hovermode="closest",
        shapes=[] if empty else shapes,
        annotations=[style.note("no run has ended yet")] if empty else notes,
    )


def _went(plane: Plane, row: int) -> str:
    """Return what the line of a row comes from and to; "" while it has no values."""
    cells = [cell for cell in plane.rows[row] if np.isfinite(cell.median)]
    if not cells:
        return ""
    name = f"{plane.y.shown(cells[0].y)}: " if plane.y else ""
    over = f"{plane.x.shown(cells[0].x)} to {plain(cells[-1].x)}"
    return f"{name}{finding.course([cell.median for cell in cells])} over {over}"


def _crosses(plane: Plane, rows: Sequence[int]) -> list[Trace]:
    """Return crosses where runs of these rows ended early."""
    cells = [plane.rows[row] for row in rows]
    middle = np.array([[cell.median for cell in row] for row in cells])
    early = np.array([[cell.early for cell in row] for row in cells])
    return crosses.on_curves(np.tile(plane.x.places, (len(rows), 1)), middle, early)


def _x_axis(plane: Plane) -> dict:
    more: dict = {"range": plane.x.ends}
    if not plane.x.is_number:
        names = [plain(value) for value in plane.x.values]
        more |= {"tickvals": plane.x.places.tolist(), "ticktext": names}
    return style.axis(plane.x.label, plane.x.log, **more)


def _has_bands(plane: Plane, rows: Sequence[int]) -> bool:
    return any(_most(plane, row) >= FEWEST_FOR_A_BAND for row in rows)


def _most(plane: Plane, row: int) -> int:
    return max((cell.count for cell in plane.rows[row]), default=0)


def _label(plane: Plane, row: int) -> str:
    value = plane.rows[row][0].y if plane.rows[row] else None
    return plane.y.shown(value) if plane.y else quantity.meaning(plane.quantity)


def _named(plane: Plane, row: int) -> str:
    counts = sorted({cell.count for cell in plane.rows[row] if cell.count})
    seeds = "–".join(str(c) for c in dict.fromkeys([counts[0], counts[-1]])) if counts else "0"
    return f"{_label(plane, row)} (N = {seeds})"


def _line(plane: Plane, row: int, color: str, symbol: str, log: bool) -> list[Trace]:
    if _most(plane, row) < FEWEST_FOR_A_BAND:
        return _single_runs(plane, row, color, symbol, log)
    cells = [c for c in plane.rows[row] if c.count and not (log and c.median <= 0.0)]
    x = _places(plane, cells)
    sure = [c for c in cells if c.count >= FEWEST_FOR_A_BAND]
    low, high = ([c.quantile(share) for c in sure] for share in (0.1, 0.9))
    around = _places(plane, sure)
    name = _named(plane, row)
    band = {
        "type": "scatter",
        "mode": "lines",
        "name": f"{_label(plane, row)}: 10 and 90 %",
        "x": around + around[::-1],
        "y": style.numbers(high + low[::-1]),
        "fill": "toself",
        "fillcolor": color + "33",
        "line": {"width": 0, "color": color},
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": name,
    }
    said = [
        f"{plane.x.shown(c.x)}: {plain(c.median)} "
        f"({plain(c.quantile(0.1))} to {plain(c.quantile(0.9))}), N = {c.count}"
        for c in cells
    ]
    return [band, _marked(x, [c.median for c in cells], name, color, symbol, said, 2.5)]


def _single_runs(plane: Plane, row: int, color: str, symbol: str, log: bool) -> list[Trace]:
    name = _named(plane, row)
    traces = []
    for number, (seed, values) in enumerate(plane.by_seed(row).items()):
        kept = np.isfinite(values) & ~(log & (values <= 0.0))
        x = plane.x.places[kept].tolist()
        said = [f"{seed or 'one run'}: {plain(float(v))}" for v in values[kept]]
        trace = _marked(x, values[kept].tolist(), name, color, symbol, said, 1.5)
        traces.append(trace | {"showlegend": number == 0})
    return traces


def _places(plane: Plane, cells: Sequence[Cell]) -> list[float]:
    at = dict(zip(plane.x.values, plane.x.places.tolist(), strict=True))
    return [at[cell.x] for cell in cells]


def _marked(
    x: list[float],
    y: list[float],
    name: str,
    color: str,
    symbol: str,
    said: list[str],
    width: float,
) -> Trace:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "legendgroup": name,
        "x": x,
        "y": style.numbers(y),
        "text": said,
        "hovertemplate": "%{text}<extra></extra>",
        "line": {"color": color, "width": width},
        "marker": {"color": color, "symbol": symbol, "size": 8},
    }


def _guide_line(plane: Plane, rows: Sequence[int], config: dict, log: bool) -> list[Trace]:
    """Return the theorem's slope beside the lazy end of the first fitted row, a little above."""
    theorem, found = guide(plane, config), fits(plane, rows)
    if theorem is None or not found or not (log and plane.x.log):
        return []
    row = next(r for r in rows if _label(plane, r) == found[0].label)
    kept = [c for c in plane.rows[row] if c.x in found[0].over and c.count and c.median > 0.0]
    if not found[0].lazy:  # the theorem is about the far end
        kept = kept[-max(2, len(kept) // 2) :]
    x, y = np.array([c.x for c in kept]), np.array([c.median for c in kept])
    middle = np.log(x).mean(), np.log(y).mean()
    ends = np.array([x.min(), x.max()])
    name = f"{theorem.source}: α<sup>{theorem.exponent:g}</sup>".replace("-", "−")
    heights = 1.8 * np.exp(middle[1] + theorem.exponent * (np.log(ends) - middle[0]))
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": ends.tolist(),
            "y": heights.tolist(),
            "hoverinfo": "skip",
            "line": {"color": style.GREY, "width": 2, "dash": "8px,5px"},
        }
    ]
