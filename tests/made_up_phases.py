"""A sweep over h, √hα and seeds whose numbers follow laws that a test can know."""

import numpy as np

from lazycore.config.sweep import SweepConfig
from lazycore.papers.feature_lazy.phases import Cube, cube_of
from lazycore.results.quantities import QUANTITIES
from lazycore.results.sweep import STATUSES, SweepResult
from lazycore.results.tabled import VERDICTS

FIELDS = {
    "task": "digits",
    "model": "fully_connected",
    "depth": "3",
    "activation": "softplus",
    "loss": "logistic",
    "n_train": "20",
    "n_test": "40",
    "width": "25,100,400",
    "alpha_sqrt_width": "1e-4:1e6:11",
    "init_seed": "0:4",
}
BORDER = 5.0
"""√hα at which the kernel has changed by as much as it was, but for a factor of each seed."""
POINTS = 40


def factor(seed: int) -> float:
    """How much larger the kernel change of this seed is."""
    return 1.1 ** (seed - 1.5)


def kernel_change(scale: float, seed: int, depth: int = 3) -> float:
    """(√hα)^(−2L/(L+1)) below the border, (√hα)^(−1) above it."""
    power = 2.0 * depth / (depth + 1.0) if scale < BORDER else 1.0
    return factor(seed) * (scale / BORDER) ** -power


def test_error(scale: float, width: int) -> float:
    """From 10 % on the feature side to 20 % on the lazy one, less for wider networks."""
    return (0.1 + 0.1 * scale / (scale + BORDER)) * (1.0 + 1.0 / width**0.5)


def half_time(scale: float) -> float:
    """6 √hα in the feature phase, 6 in the lazy one."""
    return 6.0 * min(scale, 1.0)


def outputs(scale: float, width: int, seed: int, labels: np.ndarray) -> np.ndarray:
    """y plus a part of each seed's own that falls as 1/√h and is larger on the lazy side."""
    rng = np.random.default_rng([seed, width])
    own = (1.0 if scale < BORDER else 2.0) * rng.standard_normal(len(labels))
    return labels + 5.0 * own / width**0.5


def made_up_phases(fields: dict[str, str] | None = None, **wrong: str) -> SweepResult:
    """Return a whole table by these laws. `wrong`: "d" and a digest → the status of that cell."""
    config = SweepConfig.from_text(({} if fields and "task" in fields else FIELDS) | (fields or {}))
    table = SweepResult(config)
    labels = cube_of(table).labels
    table._outputs = np.full((table.total, len(labels)), np.nan, dtype=np.float32)
    columns = {name: i for i, name in enumerate(QUANTITIES)}
    base = config.base.resolve()
    for row, cell in enumerate(config.cells):
        scale = cell.values["alpha_sqrt_width"]
        width = cell.values.get("width", base.width)
        seed = cell.values.get("init_seed", 0)
        status = wrong.get("d" + cell.digest, "done")
        table._status[row] = STATUSES.index(status)
        if status == "failed":
            table._messages[row] = "It used more memory than it may."
        if status in ("failed", "missing"):
            continue
        table._verdict[row] = VERDICTS.index("rich" if scale < BORDER else "lazy")
        found = {
            "kernel_change": kernel_change(scale, seed, base.depth or 1),
            "final_test_error": test_error(scale, width),
            "half_time": half_time(scale),
        }
        for name, value in found.items():
            if name in columns:
                table.values[row, columns[name]] = value
        table._outputs[row] = outputs(scale, width, seed, labels)
    return table


def made_up_cube(fields: dict[str, str] | None = None, **wrong: str) -> Cube:
    """Return the cube of such a table."""
    return cube_of(made_up_phases(fields, **wrong))


def digest_at(table: SweepResult, **values) -> str:
    """Return the digest of the cell with these values."""
    return next(c.digest for c in table.config.cells if values.items() <= dict(c.values).items())
