"""A sweep as a plane: one quantity over two axes, the seeds of a cell side by side. No torch.

    plane_of(frame, "alpha", "width", "relative_gap", fixed={"task": "sine"})

`frame` is that of a `SweepResult`: a row a run, with its axes, digest, status, verdict and
quantities. What varies besides the two axes and the seeds is fixed to one value each.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lazycore.config.axes import axis_field
from lazycore.errors import ConfigError
from lazycore.machine.once import once

if TYPE_CHECKING:
    import pandas as pd

SEEDS = ("seed", "data_seed", "init_seed", "batch_seed")
FEWEST_FOR_A_BAND = 3
"""Seeds below which a band would claim more than is known."""
MARKED = ("failed", "diverged", "budget")
"""Statuses that a cell is marked with, the worst first."""
LABELS = {
    "alpha": "output scale α (no unit)",
    "alpha_sqrt_width": "α √width (no unit)",
    "width": "width m (hidden units)",
    "init_scale": "initial scale τ (no unit)",
    "n_train": "training points n (points)",
    "time": "length of the run T (flow time)",
    "steps": "steps (steps)",
    "step_size": "step size η (flow time)",
}


@dataclass(frozen=True)
class Axis:
    """One axis: its name, its values in order, and whether they are to be spaced by ratio."""

    name: str
    values: tuple[Any, ...]

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers rather than words."""
        return axis_field(self.name).kind is not str

    @property
    def log(self) -> bool:
        """Whether the field is one that is spaced by ratio, as α and the width are."""
        return axis_field(self.name).log and min(self.values) > 0

    @property
    def places(self) -> np.ndarray:
        """The values as numbers; words stand at 0, 1, 2 …"""
        return np.array(self.values if self.is_number else range(len(self.values)), dtype=float)

    @property
    def spaced(self) -> np.ndarray:
        """The places as the axis spaces them: their decimal logarithms where it is log."""
        return np.log10(self.places) if self.log else self.places

    @property
    def ends(self) -> list[float]:
        """Where the first cell begins and the last one ends, spaced as the axis is."""
        at = self.spaced
        if len(at) == 1:
            half = np.log10(2.0) if self.log else 0.5
            return [float(at[0] - half), float(at[0] + half)]
        return [float(1.5 * at[0] - 0.5 * at[1]), float(1.5 * at[-1] - 0.5 * at[-2])]

    @property
    def label(self) -> str:
        """The name with its unit, as it stands beside the axis."""
        unit = axis_field(self.name).unit or "no unit"
        return LABELS.get(self.name, f"{self.name} ({unit})" if self.is_number else self.name)

    @property
    def said(self) -> str:
        """The name as it is said in words: α for `alpha`."""
        said = {"alpha": "α", "init_scale": "τ", "alpha_sqrt_width": "α√width"}
        return said.get(self.name, self.name)

    def shown(self, value: Any) -> str:
        """Return `name = value` as it is said in words."""
        return f"{self.said} = {plain(value)}"


@dataclass(frozen=True)
class Run:
    """One run of a cell. `value` is NaN where it has none."""

    seed: str
    digest: str
    status: str
    verdict: str
    message: str
    value: float


@dataclass(frozen=True)
class Cell:
    """What the runs that differ in their seeds only came to at one place of the plane."""

    x: Any
    y: Any
    runs: tuple[Run, ...]

    @once
    def counted(self) -> tuple[Run, ...]:
        """The runs that reached their end with a value; others are marked, not averaged in."""
        return tuple(r for r in self.runs if r.status == "done" and math.isfinite(r.value))

    @property
    def count(self) -> int:
        """N, the number of runs that count."""
        return len(self.counted)

    @property
    def median(self) -> float:
        """The median over seeds, NaN while no run counts."""
        return self.quantile(0.5)

    def quantile(self, share: float) -> float:
        """Return this quantile over seeds, linear between two, NaN while no run counts."""
        # Not numpy's, which takes a hundred times as long for three numbers.
        values = self._values
        if not values:
            return math.nan
        place = share * (len(values) - 1)
        below = int(place)
        above = min(below + 1, len(values) - 1)
        return values[below] + (place - below) * (values[above] - values[below])

    @once
    def _values(self) -> tuple[float, ...]:
        return tuple(sorted(r.value for r in self.counted))

    @property
    def middle(self) -> Run | None:
        """The run whose value is nearest to the median; without one, the first that ended."""
        if self.counted:
            return min(self.counted, key=lambda r: abs(r.value - self.median))
        return next((r for r in self.runs if r.status != "missing"), None)

    @property
    def early(self) -> int:
        """The number of runs that failed, diverged or ended on their budget."""
        return sum(r.status in MARKED for r in self.runs)

    @property
    def mark(self) -> str | None:
        """The worst way in which a run of the cell did not reach its end; `missing` for a cell
        of which nothing has ended, None where nothing is to be said."""
        said = {r.status for r in self.runs}
        worst = next((status for status in MARKED if status in said), None)
        return worst or ("missing" if said <= {"missing"} else None)

    @property
    def verdict(self) -> str:
        """The verdict that most of its ended runs have; `undecided` where none has."""
        said = [r.verdict for r in self.runs if r.status == "done" and r.verdict]
        return max(sorted(set(said)), key=said.count) if said else "undecided"


@dataclass(frozen=True)
class Plane:
    """One quantity over two axes. `rows[j][i]` is the cell at the i-th x and the j-th y."""

    quantity: str
    x: Axis
    y: Axis | None
    rows: tuple[tuple[Cell, ...], ...]

    def cells(self) -> Iterator[Cell]:
        """Return every cell, row by row."""
        return (cell for row in self.rows for cell in row)

    @property
    def early(self) -> int:
        """The number of runs that failed, diverged or ended on their budget."""
        return sum(cell.early for cell in self.cells())

    def grid(self, share: float = 0.5) -> np.ndarray:
        """Return the quantile of every cell, (rows, columns), NaN where there is none."""
        return np.array([[cell.quantile(share) for cell in row] for row in self.rows])

    def by_seed(self, row: int) -> dict[str, np.ndarray]:
        """Return the values along x of each seed in one row, NaN where a run does not count."""
        cells = self.rows[row]
        seeds = dict.fromkeys(r.seed for cell in cells for r in cell.counted)
        values = [{r.seed: r.value for r in cell.counted} for cell in cells]
        return {s: np.array([at.get(s, np.nan) for at in values]) for s in seeds}


def axes_of(names: Sequence[str]) -> list[str]:
    """Return those of a sweep's axes that a plane can be spanned by: all but the seeds.

    Where nothing but seeds varies, they are an axis like any other.
    """
    return [name for name in names if name not in SEEDS] or list(names)


def plane_of(
    frame: "pd.DataFrame",
    axes: Mapping[str, Sequence[Any]],
    x: str,
    y: str | None,
    quantity: str,
    fixed: Mapping[str, Any] | None = None,
) -> Plane:
    """Return the plane of `quantity` over the axes x and y of a sweep.

    Args:
        frame: the table of the sweep, a row a run.
        axes: every axis with its values, as the sweep's config has them.
        fixed: the value of each further axis; the first where it names none.

    Raises `ConfigError` for a name that is no axis of the sweep, or the same one twice.
    """
    for name in filter(None, (x, y)):
        if name not in axes:
            raise ConfigError(f"{name!r} is not an axis of this sweep: it has {', '.join(axes)}.")
    if x == y:
        raise ConfigError(f"both axes of the plane are {x}: choose two that differ.")
    further = [name for name in axes if name not in (x, y, *SEEDS)]
    wanted = {name: (fixed or {}).get(name, axes[name][0]) for name in further}
    for name, value in wanted.items():
        frame = frame.loc[frame[name] == value]
    seeds = [name for name in SEEDS if name in axes and name not in (x, y)]
    groups = _grouped(frame, [x, *([y] if y else [])], seeds, quantity)
    across, up = Axis(x, ordered(axes[x])), Axis(y, ordered(axes[y])) if y else None
    rows = tuple(
        tuple(Cell(u, v, tuple(groups.get((u, v) if y else (u,), ()))) for u in across.values)
        for v in (up.values if up else (None,))
    )
    return Plane(quantity, across, up, rows)


def _grouped(
    frame: "pd.DataFrame", axes: list[str], seeds: list[str], quantity: str
) -> dict[tuple, list[Run]]:
    groups: dict[tuple, list[Run]] = {}
    wanted = [*axes, *seeds, "digest", "status", "verdict", "message", quantity]
    for row in frame.filter(wanted).to_dict("records"):
        value = row.get(quantity)
        run = Run(
            seed=", ".join(f"{name} {plain(row[name])}" for name in seeds),
            digest=str(row["digest"]),
            status=str(row["status"]),
            verdict=_text(row.get("verdict")),
            message=_text(row.get("message")),
            value=float(value) if isinstance(value, (int, float)) else math.nan,
        )
        groups.setdefault(tuple(row[name] for name in axes), []).append(run)
    return groups


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""  # pandas has NaN for nothing


def ordered(values: Sequence[Any]) -> tuple[Any, ...]:
    """Return the values as an axis has them: numbers by size, words as they were given."""
    numbers = all(isinstance(v, (int, float)) for v in values)
    return tuple(sorted(values)) if numbers else tuple(values)


def plain(value: Any) -> str:
    """Return a value of an axis as it is written: four digits of a number, a word as it is."""
    return f"{value:.4g}" if isinstance(value, (int, float)) else str(value)
