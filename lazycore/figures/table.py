"""The final numbers of several runs as a table: on the page, as CSV, as LaTeX (booktabs)."""

import csv as csv_writer
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lazycore.figures import quantity
from lazycore.results.groups import Group
from lazycore.results.plane import FEWEST_FOR_A_BAND
from lazycore.results.quantities import QUANTITIES, measure

USUAL = (
    "final_train_loss",
    "linearized_final_train_loss",
    "final_test_loss",
    "linearized_final_test_loss",
    "final_test_error",
    "linearized_final_test_error",
    "largest_gap",
    "relative_gap",
    "numerical_error",
    "kernel_change",
    "final_displacement",
    "final_parameter_gap",
    "horizon",
)
"""What the table holds where no quantities are asked for."""

_IN_LATEX = {
    "h̄": "$\\bar h$",
    "w̄": "$\\bar w$",
    "Θ₀": "$\\Theta_0$",
    "w₀": "$w_0$",
    "α": "$\\alpha$",
    "τ": "$\\tau$",
    "κ": "$\\kappa$",
    "λ": "$\\lambda$",
    "η": "$\\eta$",
    "Θ": "$\\Theta$",
    "√": "$\\sqrt{}$",
    "‖": "$\\|$",
    "−": "$-$",
    "²": "$^2$",
    "·": "$\\cdot$",
}
_SPECIAL = {character: f"\\{character}" for character in "&%#_{}"}


@dataclass(frozen=True)
class Entry:
    """The median of a group, and its 10th and 90th percentile where it has three seeds.

    mean, deviation: with the standard deviation over seeds, N − 1 below it, where there are two;
    count: how many have a value.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    mean: float = math.nan
    deviation: float = math.nan
    count: int = 1

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return self.deviation / math.sqrt(self.count) if self.count else math.nan

    @property
    def text(self) -> str:
        """The number to three digits, with its spread to two where it has one."""
        return f"{rounded(self.value)}{self._spread(rounded)}"

    @property
    def latex(self) -> str:
        """The same as it stands in LaTeX."""
        return f"{_power(self.value)}{self._spread(_power)}"

    @property
    def average(self) -> str:
        """Mean ± standard deviation (standard error); a dash for fewer than two."""
        return self._average(rounded, " ± ")

    @property
    def latex_average(self) -> str:
        """The same as it stands in LaTeX."""
        return self._average(_power, " $\\pm$ ")

    def _average(self, shown: Callable[[float, int], str], between: str) -> str:
        if not math.isfinite(self.deviation):
            return shown(math.nan, 3)
        mean, spread = shown(self.mean, 3), shown(self.deviation, 2)
        return f"{mean}{between}{spread} ({shown(self.error, 2)})"

    def _spread(self, shown: Callable[[float, int], str]) -> str:
        known = math.isfinite(self.low)
        return f" ({shown(self.low, 2)} to {shown(self.high, 2)})" if known else ""


@dataclass(frozen=True)
class Row:
    """One quantity: its name, meaning and unit, and an entry for each group."""

    name: str
    meaning: str
    unit: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Table:
    """Quantities down, groups across. verdicts: how many runs of each group have which."""

    labels: tuple[str, ...]
    counts: tuple[int, ...]
    verdicts: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def has_seeds(self) -> bool:
        """Whether some group is more than one run."""
        return any(count > 1 for count in self.counts)


def table(groups: Sequence[Group], names: Sequence[str] = USUAL) -> Table:
    """Return these quantities of the groups; one that no run has is left out."""
    numbers = [[measure(run) for run in group.runs] for group in groups]
    losses = dict.fromkeys(group.config.get("loss") for group in groups)
    rows = []
    for name in (n for n in names if n in QUANTITIES):
        entries = tuple(_entry([numbers_of[name] for numbers_of in runs]) for runs in numbers)
        if any(math.isfinite(entry.value) for entry in entries):
            units = " / ".join(dict.fromkeys(quantity.unit(name, loss) for loss in losses))
            rows.append(Row(name, quantity.meaning(name), units, entries))
    return Table(
        labels=tuple(group.name for group in groups),
        counts=tuple(len(group.runs) for group in groups),
        verdicts=tuple(group.verdicts for group in groups),
        rows=tuple(rows),
    )


def _entry(values: Sequence[float]) -> Entry:
    finite = np.array([v for v in values if math.isfinite(v)])
    if not finite.size:
        return Entry(math.nan, count=0)
    low = high = deviation = math.nan
    if finite.size >= FEWEST_FOR_A_BAND:
        low, high = np.quantile(finite, (0.1, 0.9)).tolist()
    if finite.size > 1:
        deviation = float(finite.std(ddof=1))
    return Entry(
        float(np.median(finite)), low, high, float(finite.mean()), deviation, int(finite.size)
    )


def csv(found: Table) -> str:
    """Return the table with every digit: a row a quantity, and columns for each spread."""
    parts = [_parts(found, column) for column in range(len(found.labels))]
    out = io.StringIO()
    writer = csv_writer.writer(out, lineterminator="\n")
    head = [f"{label}{part}" for label, of in zip(found.labels, parts, strict=True) for part in of]
    writer.writerow(["quantity", "meaning", "unit", *head])
    for row in found.rows:
        values = [
            float(getattr(entry, name))
            for entry, of in zip(row.entries, parts, strict=True)
            for name in of.values()
        ]
        cells = ["" if math.isnan(value) else repr(value) for value in values]
        writer.writerow([row.name, row.meaning, row.unit, *cells])
    return out.getvalue()


def _parts(found: Table, column: int) -> dict[str, str]:
    """Return what the columns of a group end with, and which part of an entry stands in each."""
    entries = [row.entries[column] for row in found.rows]
    parts = {"": "value"}
    if any(math.isfinite(entry.low) for entry in entries):
        parts |= {" (10 %)": "low", " (90 %)": "high"}
    if any(math.isfinite(entry.deviation) for entry in entries):
        parts |= {" (mean)": "mean", " (sd)": "deviation", " (standard error)": "error"}
    return parts


def latex(found: Table) -> str:
    """Return the table for a paper; it needs `\\usepackage{booktabs}`."""
    head = " & ".join(["", *map(in_latex, found.labels)])
    lines = [
        f"\\begin{{tabular}}{{l{'r' * len(found.labels)}}}",
        "\\toprule",
        f"{head} \\\\",
        "\\midrule",
        *(line for row in found.rows for line in _latex_rows(row, found.has_seeds)),
        " & ".join(["verdict", *map(in_latex, found.verdicts)]) + " \\\\",
    ]
    if found.has_seeds:
        lines.append(" & ".join(["seeds $N$", *map(str, found.counts)]) + " \\\\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def _latex_rows(row: Row, has_seeds: bool) -> list[str]:
    unit = "" if row.unit == "no unit" else f" ({row.unit})"
    lines = [[in_latex(row.meaning + unit), *(entry.latex for entry in row.entries)]]
    if has_seeds:
        lines.append(
            ["\\quad mean $\\pm$ sd (s.e.)", *(entry.latex_average for entry in row.entries)]
        )
    return [" & ".join(line) + " \\\\" for line in lines]


def in_latex(text: str) -> str:
    """Return words with our symbols as LaTeX, whose own special characters are kept apart."""
    for character, escaped in (_SPECIAL | _IN_LATEX).items():
        text = text.replace(character, escaped)
    return text.replace("$$", "")


def rounded(value: float, digits: int = 3) -> str:
    """Return this many significant digits of a number, a dash for none."""
    if not math.isfinite(value):
        return "–"
    if value == 0.0 or 1e-3 <= abs(value) < 1e5:
        return f"{float(f'{value:.{digits}g}'):g}".replace("-", "−")
    return f"{value:.{digits - 1}e}".replace("-", "−")


def _power(value: float, digits: int = 3) -> str:
    if not math.isfinite(value):
        return "--"
    if value == 0.0 or 1e-3 <= abs(value) < 1e5:
        return f"${float(f'{value:.{digits}g}'):g}$"
    front, _, power = f"{value:.{digits - 1}e}".partition("e")
    return f"${front} \\times 10^{{{int(power)}}}$"
