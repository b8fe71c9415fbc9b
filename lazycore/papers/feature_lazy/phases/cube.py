"""A sweep over width, √hα and seeds as arrays over these three. numpy and pandas only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lazycore.config import spec
from lazycore.config.sweep import SweepConfig
from lazycore.engine.problem.targets import dataset
from lazycore.errors import ConfigError
from lazycore.machine.once import once
from lazycore.results.laid import laid
from lazycore.results.quantities import QUANTITIES
from lazycore.results.sweep import SweepResult

AXES = ("width", "alpha_sqrt_width", "init_seed")
"""h, √hα, and the seed of the initial weights: data and test points are the same for all."""
ENDED_EARLY = ("failed", "diverged", "budget")


@dataclass(frozen=True, eq=False)
class Cube:
    """The cells of a sweep by width (H), √hα (A) and seed (S).

    widths: (H,) h. scales: (A,) √hα, both increasing. seeds: (S,).
    status: (H, A, S) words, of the network: it is done where it met its margins, though its
    linearisation may not have by the end of the budget. messages: why runs ended early.
    values: (H, A, S) by quantity, NaN where a run did not reach its end: those are counted, not
    averaged in; of the linearised model, NaN where that did not.
    outputs: (H, A, S, n') final αh on the test points, NaN where there are none, or None.
    """

    config: SweepConfig
    widths: np.ndarray
    scales: np.ndarray
    seeds: tuple[int, ...]
    status: np.ndarray
    messages: tuple[str, ...]
    values: Mapping[str, np.ndarray]
    outputs: np.ndarray | None

    @once
    def base(self) -> Mapping[str, Any]:
        """The resolved fields of its first cell."""
        return self.config.base.resolve().to_dict()

    @property
    def depth(self) -> int | None:
        """L, the number of hidden layers; None where the model says of none."""
        layers = spec.facts_of("model", self.base["model"]).get("linear_layers")
        return layers(self.base) - 1 if layers and layers(self.base) else self.base.get("depth")

    @once
    def labels(self) -> np.ndarray:
        """The labels ±1 of the test points that there are outputs for, (n',).

        They come from the task, as they did in each run. Raises `ConfigError` where labels are
        not ±1, and what the task raises where its files are not there.
        """
        y = dataset(self.base).y_test
        if y.shape[1] != 1 or not np.isin(y, (-1.0, 1.0)).all():
            raise ConfigError("only labels ±1 have an ensemble error here: give labels=parity.")
        return y[: self.outputs.shape[-1], 0] if self.outputs is not None else y[:, 0]

    def means(self, name: str) -> np.ndarray:
        """Return the geometric mean over seeds of a positive quantity: (H, A), NaN for none."""
        values = self.values[name]
        with np.errstate(invalid="ignore", divide="ignore"):
            logs = np.where(values > 0.0, np.log(values), np.nan)
        return np.exp(mean_of_known(logs))

    def counts(self) -> dict[str, int]:
        """Return how many runs came to each status, those that none came to left out."""
        names, numbers = np.unique(self.status, return_counts=True)
        return {str(name): int(number) for name, number in zip(names, numbers, strict=True)}

    def ended_early(self) -> np.ndarray:
        """Return in how many runs of each place something went wrong, (H, A)."""
        return np.isin(self.status, ENDED_EARLY).sum(-1)


def cube_of(table: SweepResult) -> Cube:
    """Return the cells of this table by width, √hα and seed.

    An axis that the sweep has not got is of length one. Raises `ConfigError` for a sweep
    without the axis alpha_sqrt_width, or with another one beside the three.
    """
    axes = table.config.axes
    other = [name for name in axes if name not in AXES]
    if "alpha_sqrt_width" not in axes or other:
        raise ConfigError(
            f"a sweep over {', '.join(axes)} is no phase diagram: give {', '.join(AXES)}."
        )
    base = table.config.base.resolve().to_dict()
    known = {name: axes.get(name) or (base[name],) for name in AXES}
    digests = [cell.digest for cell in table.config.cells]
    names = list(QUANTITIES)
    status = np.array([table.status(d) for d in digests])
    both = _arranged(status == "done", axes)
    met = np.isfinite(table.values[:, names.index("stop_time")])
    status = np.where((status == "budget") & met, "done", status)
    messages = (table.message(d) for d, word in zip(digests, status, strict=True) if word != "done")
    status = _arranged(status, axes)
    ended = status == "done"
    values = {
        name: np.where(
            both if name.startswith("linearized") else ended,
            _arranged(table.values[:, i], axes),
            np.nan,
        )
        for i, name in enumerate(names)
    }
    outputs = None
    if table.test_outputs is not None:
        outputs = _arranged(table.test_outputs, axes)
        outputs = np.where(ended[..., None], outputs, np.nan)
    return Cube(
        config=table.config,
        widths=np.sort(np.array(known["width"], dtype=float)),
        scales=np.sort(np.array(known["alpha_sqrt_width"], dtype=float)),
        seeds=tuple(sorted(known["init_seed"])),
        status=status,
        messages=tuple(dict.fromkeys(filter(None, messages))),
        values=values,
        outputs=outputs,
    )


def _arranged(column: np.ndarray, axes: Mapping[str, tuple]) -> np.ndarray:
    """Return a column of the table, (cells, …), as (H, A, S, …), each axis increasing."""
    cube = laid(axes, column, AXES)
    return cube[np.ix_(*(np.argsort(axes.get(name, (0,))) for name in AXES))]


def mean_of_known(values: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis of what is not NaN; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(-1)
    total = np.where(known, values, 0.0).sum(-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
