"""The final numbers of several runs as a table: on the page, as CSV, as LaTeX (booktabs)."""

import csv as csv_writer
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lazycore.figures import quantity
from lazycore.groups import Group
from lazycore.plane import FEWEST_FOR_A_BAND
from lazycore.quantities import QUANTITIES, measure

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
    """The median of a group, and its 10th and 90th percentile where it has three seeds."""

    value: float
    low: float = math.nan
    high: float = math.nan

    @property
    def text(self) -> str:
        """The number to three digits, with its spread to two where it has one."""
        return f"{rounded(self.value)}{self._spread(rounded)}"

    @property
    def latex(self) -> str:
        """The same as it stands in LaTeX."""
        return f"{_power(self.value)}{self._spread(_power)}"

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
    """Quantities down, groups across. verdicts: what most runs of each group are."""

    labels: tuple[str, ...]
    counts: tuple[int, ...]
    verdicts: tuple[str, ...]
    rows: tuple[Row, ...]


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
        labels=tuple(group.label for group in groups),
        counts=tuple(len(group.runs) for group in groups),
        verdicts=tuple(_verdict(group) for group in groups),
        rows=tuple(rows),
    )


def _entry(values: Sequence[float]) -> Entry:
    finite = np.array([v for v in values if math.isfinite(v)])
    if finite.size >= FEWEST_FOR_A_BAND:
        low, middle, high = np.quantile(finite, (0.1, 0.5, 0.9)).tolist()
        return Entry(middle, low, high)
    return Entry(float(np.median(finite)) if finite.size else math.nan)


def _verdict(group: Group) -> str:
    said = [run.verdict if run.status == "done" else run.status for run in group.runs]
    return " / ".join(dict.fromkeys(said))


def csv(found: Table) -> str:
    """Return the table with every digit: a row a quantity, and columns for each spread."""
    spread = [any(math.isfinite(r.entries[i].low) for r in found.rows) for i in _columns(found)]
    out = io.StringIO()
    writer = csv_writer.writer(out, lineterminator="\n")
    head = [
        column
        for label, wide in zip(found.labels, spread, strict=True)
        for column in (label, *((f"{label} (10 %)", f"{label} (90 %)") if wide else ()))
    ]
    writer.writerow(["quantity", "meaning", "unit", *head])
    for row in found.rows:
        cells = [
            "" if math.isnan(value) else repr(value)
            for entry, wide in zip(row.entries, spread, strict=True)
            for value in (entry.value, *((entry.low, entry.high) if wide else ()))
        ]
        writer.writerow([row.name, row.meaning, row.unit, *cells])
    return out.getvalue()


def latex(found: Table) -> str:
    """Return the table for a paper; it needs `\\usepackage{booktabs}`."""
    head = " & ".join(["", *map(in_latex, found.labels)])
    lines = [
        f"\\begin{{tabular}}{{l{'r' * len(found.labels)}}}",
        "\\toprule",
        f"{head} \\\\",
        "\\midrule",
        *(_latex_row(row) for row in found.rows),
        " & ".join(["verdict", *map(in_latex, found.verdicts)]) + " \\\\",
    ]
    if any(count > 1 for count in found.counts):
        lines.append(" & ".join(["seeds $N$", *map(str, found.counts)]) + " \\\\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def _latex_row(row: Row) -> str:
    unit = "" if row.unit == "no unit" else f" ({row.unit})"
    return " & ".join([in_latex(row.meaning + unit), *(e.latex for e in row.entries)]) + " \\\\"


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


def _columns(found: Table) -> range:
    return range(len(found.labels))
