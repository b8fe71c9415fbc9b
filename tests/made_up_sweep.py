"""A sweep's table whose numbers follow a law that a test can know."""

import numpy as np

from lazycore.config.sweep import SweepConfig
from lazycore.results.plane import plane_of
from lazycore.results.quantities import QUANTITIES
from lazycore.results.sweep import STATUSES, SweepResult
from lazycore.results.tabled import VERDICTS

FIELDS = {
    "task": "sine",
    "activation": "tanh",
    "alpha": "0.1:100:4",
    "width": "16,64",
    "seed": "0:3",
}


def law(alpha: float, width: int, seed: int) -> float:
    """The quantity of a cell: falls as 1/α and 1/√width; seeds differ by a factor."""
    return (1.0 + 0.2 * seed) / alpha / width**0.5


def made_up_sweep(fields: dict[str, str] | None = None, **wrong: str) -> SweepResult:
    """Return a whole table by the law, lazy from α = 1 on. `wrong`: a status by digest."""
    config = SweepConfig.from_text(fields or FIELDS)
    table = SweepResult(config)
    for row, cell in enumerate(config.cells):
        values = cell.config.resolve()
        status = wrong.get("d" + cell.digest, "done")
        table._status[row] = STATUSES.index(status)
        if status == "failed":
            table._messages[row] = "It used more memory than it may."
        if status == "done":
            verdict = "lazy" if values.alpha >= 1.0 else "rich"
            table._verdict[row] = VERDICTS.index(verdict)
            table.values[row] = law(values.alpha, values.width, values.seed)
    return table


def plane(
    table: SweepResult, quantity: str = "relative_gap", x="alpha", y: str | None = "width", **fixed
):
    """Return the plane of a table."""
    assert quantity in QUANTITIES
    return plane_of(table.frame, table.config.axes, x, y, quantity, fixed)


def digest_at(table: SweepResult, **values) -> str:
    """Return the digest of the cell with these values."""
    return next(c.digest for c in table.config.cells if dict(c.values) == values)


def medians(alphas, widths) -> np.ndarray:
    """Return what the medians over seeds 0, 1, 2 are: those of seed 1."""
    return np.array([[law(a, w, 1) for a in alphas] for w in widths])
