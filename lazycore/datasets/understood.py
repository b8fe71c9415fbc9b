"""What was understood of a file, in words a person can check before anything is trained."""

from dataclasses import dataclass

import numpy as np

from lazycore.errors import DataError

FEW = 8
"""Names and classes that are said one by one."""


@dataclass(frozen=True)
class Choices:
    """What a person chose where a file can be read in more than one way; empty: not chosen.

    target: a column, by its name or number. missing: `refuse`, `drop_rows` or `mean`.
    without: columns that are left out. kind: what the targets are, `classes` or `numbers`.
    """

    target: str = ""
    missing: str = "refuse"
    without: tuple[str, ...] = ()
    kind: str = ""


AS_IT_IS = Choices()
"""Nothing chosen."""


class Question(DataError):
    """A file that can be read in several ways, in one sentence.

    field: the field of a run that answers it. options: its values among which to choose.
    """

    def __init__(self, sentence: str, field: str, options: tuple[str, ...]) -> None:
        super().__init__(sentence)
        self.field, self.options = field, options


@dataclass(frozen=True)
class Understood:
    """How a file was read.

    columns: (name, role) of each column of the file; roles are `input`, `target`, or why it
    is left out. target: its name. classes: (name, how many points) of each, none for real
    numbers. inputs: numbers of a point. rows: points read; left_out: rows that are not. notes:
    whole sentences. preview: the first rows, cell by cell as the file has them.
    """

    columns: tuple[tuple[str, str], ...]
    target: str
    classes: tuple[tuple[str, int], ...]
    inputs: int
    rows: int
    left_out: int
    span: tuple[float, float, float]
    notes: tuple[str, ...]
    preview: tuple[tuple[str, ...], ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that there is to say, a sentence each: points, inputs, target, then the notes."""
        names = [name for name, role in self.columns if role == "input"]
        listed = f": {_listed(names)}" if names else ""
        rows = f"{self.rows:,} points of {_counted(self.inputs, 'number')}{listed}."
        out = (f"{_counted(self.left_out, 'row')} left out for missing values.",)
        gone = tuple(
            f"Left out: {name} ({role})."
            for name, role in self.columns
            if role not in ("input", "target")
        )
        return (rows, self.of_target, *(out if self.left_out else ()), *gone, *self.notes)

    @property
    def of_target(self) -> str:
        """What the target is, as a sentence."""
        if self.classes:
            shown = [f"{name} ({count:,})" for name, count in self.classes]
            return f"Target {self.target}, {len(self.classes)} classes: {_listed(shown)}."
        mean, deviation, low_high = self.span[0], self.span[1], self.span[2]
        return (
            f"Target {self.target}, real numbers: mean {mean:.4g}, standard deviation "
            f"{deviation:.4g}, largest {low_high:.4g}."
        )

    @property
    def line(self) -> str:
        """The same in one short line."""
        gone = [name for name, role in self.columns if role not in ("input", "target")]
        out = [f"without {_listed(gone)}"] if gone else []
        out += [f"{_counted(self.left_out, 'row')} left out"] if self.left_out else []
        kind = f"{len(self.classes)} classes" if self.classes else "real numbers"
        parts = [f"{self.rows:,} points of {self.inputs}", f"target {self.target} ({kind})", *out]
        return ", ".join(parts)


def in_units(mean: float, scale: float) -> str:
    """Return what the numbers of a run mean whose targets were standardised by these."""
    return (
        f"targets were standardised: outputs f are {mean:.6g} + {scale:.6g} f in the units of the "
        f"file, a square loss of 1 is {scale**2:.4g} of them squared"
    )


def span(y: np.ndarray) -> tuple[float, float, float]:
    """Return mean, standard deviation and largest of real targets, NaN left aside."""
    return float(np.nanmean(y)), float(np.nanstd(y)), float(np.nanmax(y))


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _listed(names: list[str]) -> str:
    short = [name if len(name) <= 30 else name[:29] + "…" for name in names]
    if len(short) <= FEW:
        return ", ".join(short)
    return f"{', '.join(short[: FEW - 2])}, … and {short[-1]}, {len(short)} in all"
