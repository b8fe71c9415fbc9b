"""`SweepResult`: what the cells of a sweep came to, as one tidy table. No torch.

It holds numbers, not curves: those are in the store, one run for each cell. A cell that has
gone wrong keeps its row and says so. Where runs record what they answer on the test points at
last, the table holds that too: what an ensemble does is in no number of its members.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lazycore.config.run import ENGINE_VERSION
from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError, CorruptResult
from lazycore.machine.once import once
from lazycore.results import answers, npz
from lazycore.results.quantities import QUANTITIES, measure
from lazycore.results.recorded import check_array
from lazycore.results.run import RunResult

SCHEMA = "lazylab-sweep-1"
LARGEST_FILE = 64 * 2**20
"""Bytes that a table may unpack to: more is refused before it is read."""
STATUSES = ("missing", "done", "diverged", "budget", "failed")
VERDICTS = ("", "lazy", "crossover", "rich", "undecided")
REDUCTIONS = {"median": np.median, "mean": np.mean, "min": np.min, "max": np.max}
LONGEST_MESSAGE = 500
OUTPUTS = "nonlinear.test_outputs"
"""What a run records of its final outputs αh, one a test point."""


class SweepResult:
    """The table of `config`: one row for each cell, in their order, missing until added.

    config: the sweep. values: (cells, quantities) floats, NaN where there is none.
    """

    def __init__(self, config: SweepConfig) -> None:
        self.config = config
        self.values = np.full((len(config.cells), len(QUANTITIES)), np.nan)
        self._status = np.zeros(len(config.cells), dtype=np.uint8)
        self._verdict = np.zeros(len(config.cells), dtype=np.uint8)
        self._messages: dict[int, str] = {}
        self._outputs: np.ndarray | None = None

    def add(self, digest: str, result: RunResult) -> None:
        """Keep what the run of this cell came to: its status, verdict and quantities, and where
        it did not reach its end, the diagnosis that it has of that."""
        if result.status not in STATUSES:
            raise ConfigError(f"the run {digest} was {result.status}: only a whole run is a cell.")
        row = self._row(digest)
        self._status[row] = STATUSES.index(result.status)
        self._verdict[row] = VERDICTS.index(result.verdict)
        self.values[row] = list(measure(result).values())
        self._messages.pop(row, None)
        if result.status != "done" and (why := result.latest.get("diagnosis")):
            self._messages[row] = str(why)[:LONGEST_MESSAGE]
        self._keep_outputs(row, answers.one_each(result.latest.get(OUTPUTS)))

    def add_failure(self, digest: str, message: str) -> None:
        """Keep that this cell could not be computed, and why."""
        row = self._row(digest)
        self._status[row] = STATUSES.index("failed")
        self._verdict[row] = 0
        self.values[row] = np.nan
        self._messages[row] = message[:LONGEST_MESSAGE]
        self._keep_outputs(row, np.array([]))

    @property
    def test_outputs(self) -> np.ndarray | None:
        """The final outputs αh on the first test points, (cells, points) in single precision.

        NaN in the rows of cells that have none; None where no cell has any.
        """
        return self._outputs

    @property
    def digest(self) -> str:
        """The digest of the sweep."""
        return self.config.digest

    @property
    def done(self) -> int:
        """Number of cells that are not missing."""
        return int(np.count_nonzero(self._status))

    @property
    def total(self) -> int:
        """Number of cells."""
        return len(self._status)

    @property
    def verdicts(self) -> dict[str, int]:
        """How many cells have which verdict, those that no cell has left out."""
        return counts_of(self._verdict)

    def status(self, digest: str) -> str:
        """Return missing, done, diverged, budget or failed."""
        return STATUSES[self._status[self._row(digest)]]

    def verdict(self, digest: str) -> str | None:
        """Return the verdict of the cell, None while it has none."""
        return VERDICTS[self._verdict[self._row(digest)]] or None

    def message(self, digest: str) -> str | None:
        """Return why the cell failed or ended early, as far as that is known, else None."""
        return self._messages.get(self._row(digest))

    @property
    def frame(self):
        """The table as a pandas frame, one row for each cell: the axes, and α and α√width where
        they are none, digest, status, verdict, message, and one column for each quantity."""
        import pandas as pd

        cells = self.config.cells
        head: dict[str, Any] = {
            name: [cell.values[name] for cell in cells] for name in self.config.axes
        }
        head |= self._scales(head)
        head |= {
            "digest": [cell.digest for cell in cells],
            "status": [STATUSES[code] for code in self._status],
            "verdict": [VERDICTS[code] or None for code in self._verdict],
            "message": [self._messages.get(row) for row in range(self.total)],
        }
        columns = {name: self.values[:, i] for i, name in enumerate(QUANTITIES)}
        words = {"verdict": "str", "message": "str"}  # text too where there is none yet
        return pd.DataFrame(head | columns).astype(words)

    def grid(
        self,
        x_axis: str,
        y_axis: str,
        quantity: str,
        at: Mapping[str, Any] | None = None,
        reduce: str = "median",
    ) -> np.ndarray:
        """Return a quantity over two axes: (values of y_axis, values of x_axis).

        Axes named in `at` are held at that value; over the others the cells that have a
        number are reduced to their median (mean, min, max). NaN where none has one.
        """
        at = dict(at or {})
        axes = self.config.axes
        for name in (x_axis, y_axis, *at):
            if name not in axes:
                raise ConfigError(f"{name!r} is no axis of this sweep: give {', '.join(axes)}.")
        is_plane = x_axis != y_axis and not {x_axis, y_axis} & at.keys()
        if quantity not in QUANTITIES or reduce not in REDUCTIONS or not is_plane:
            raise ConfigError(f"no grid of {quantity!r} by {reduce!r} over {x_axis} and {y_axis}.")
        cube = self.values[:, list(QUANTITIES).index(quantity)].reshape(self.config.shape)
        index = tuple(
            _position(axes, name, at[name]) if name in at else slice(None) for name in axes
        )
        free = [name for name in axes if name not in at]
        cube = np.moveaxis(cube[index], [free.index(y_axis), free.index(x_axis)], [0, 1])
        lanes = cube.reshape(*cube.shape[:2], -1)
        found = np.full(cube.shape[:2], np.nan)
        for place in np.ndindex(*found.shape):
            numbers = lanes[place][np.isfinite(lanes[place])]
            if numbers.size:
                found[place] = REDUCTIONS[reduce](numbers)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the table as JSON-able data, one object for each cell; null where NaN."""
        rows = self.frame.astype(object).to_dict("records")
        return {
            "config": self.config.to_dict(),
            "digest": self.digest,
            "engine_version": ENGINE_VERSION,
            "cells": [{k: None if v != v else v for k, v in row.items()} for row in rows],
        }

    def to_bytes(self) -> bytes:
        """Return the table as a compressed npz file: arrays and one JSON head, no objects."""
        head = {
            "schema": SCHEMA,
            "config": self.config.to_dict(),
            "quantities": list(QUANTITIES),
            "messages": {str(row): text for row, text in self._messages.items()},
        }
        arrays = {"status": self._status, "verdict": self._verdict, "values": self.values}
        if self._outputs is not None:
            arrays["test_outputs"] = self._outputs
        return npz.pack(head, arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> "SweepResult":
        """Return the table in these bytes; `CorruptResult` for anything that is not one."""
        return npz.unpack(data, "sweep", SCHEMA, LARGEST_FILE, _assemble)

    def to_csv(self, path: str | Path) -> Path:
        """Write the frame to `path` as CSV and return it."""
        return npz.written(path, lambda: self.frame.to_csv(path, index=False))

    def to_parquet(self, path: str | Path) -> Path:
        """Write the frame to `path` as Parquet and return it."""
        return npz.written(path, lambda: self.frame.to_parquet(path, index=False))

    def save(self, path: str | Path) -> Path:
        """Write the table to `path`, as `load` reads it, and return it."""
        return npz.written(path, lambda: Path(path).write_bytes(self.to_bytes()))

    @classmethod
    def load(cls, path: str | Path) -> "SweepResult":
        """Return the table in the file; `ResultNotFound` or `CorruptResult` if there is none."""
        return cls.from_bytes(npz.read(path))

    def _scales(self, known: Mapping[str, Any]) -> dict[str, list[float]]:
        """Return α and α√width of every cell, those that `known` has not got."""
        base, configs = self.config.base.resolve(), [cell.config for cell in self.config.cells]
        if base.alpha is None or base.width is None:
            return {}
        alphas = [base.alpha if c.alpha is None else c.alpha for c in configs]
        widths = [base.width if c.width is None else c.width for c in configs]
        scaled = [a * w**0.5 for a, w in zip(alphas, widths, strict=True)]
        both = {"alpha": alphas, "alpha_sqrt_width": scaled}
        return {name: column for name, column in both.items() if name not in known}

    def _keep_outputs(self, row: int, outputs: np.ndarray) -> None:
        if outputs.size and self._outputs is None:
            points = min(len(outputs), answers.MOST // self.total)
            self._outputs = np.full((self.total, points), np.nan, dtype=np.float32)
        if self._outputs is not None:
            found = outputs[: self._outputs.shape[1]]
            self._outputs[row] = np.nan
            self._outputs[row, : len(found)] = found

    @once
    def _rows(self) -> dict[str, int]:
        return {cell.digest: row for row, cell in enumerate(self.config.cells)}

    def _row(self, digest: str) -> int:
        if digest not in self._rows:
            raise ConfigError(f"the run {digest} is no cell of this sweep.")
        return self._rows[digest]


def counts_of(verdicts: np.ndarray) -> dict[str, int]:
    """Return how often each verdict is among these places in `VERDICTS`."""
    counts = np.bincount(verdicts, minlength=len(VERDICTS)).tolist()
    return {word: n for word, n in zip(VERDICTS, counts, strict=True) if word and n}


def _position(axes: Mapping[str, tuple], name: str, value: Any) -> int:
    if value not in axes[name]:
        values = ", ".join(map(str, axes[name]))
        raise ConfigError(f"{name}={value} is not on its axis: give {values}.")
    return axes[name].index(value)


@lru_cache(maxsize=8)
def _config(text: str) -> SweepConfig:
    """Return the sweep of this JSON: a page reads one table many times while it fills."""
    return SweepConfig.from_dict(json.loads(text))


def _assemble(head: Any, arrays: npz.Arrays) -> SweepResult:
    result = SweepResult(_config(json.dumps(head["config"])))
    names, values = head["quantities"], arrays["values"]
    status, verdict = arrays["status"], arrays["verdict"]
    outputs = arrays.get("test_outputs")
    cells = (result.total,)
    check_array("values", values, "float64", (*cells, len(names)), "sweep")
    check_array("status", status, "uint8", cells, "sweep")
    check_array("verdict", verdict, "uint8", cells, "sweep")
    fits = (
        len(arrays) == (3 if outputs is None else 4)
        and len(set(names)) == len(names)
        and status.max() < len(STATUSES)
        and verdict.max() < len(VERDICTS)
        and not np.isinf(values).any()
        and (outputs is None or answers.fit(outputs, result.total))
    )
    if not fits:
        raise CorruptResult("the arrays of this sweep do not fit its cells.")
    # A quantity that is no more is left out; one that is new has no numbers yet.
    for column, name in enumerate(QUANTITIES):
        if name in names:
            result.values[:, column] = values[:, names.index(name)]
    result._status, result._verdict, result._outputs = status, verdict, outputs
    for row, text in head["messages"].items():
        if not (isinstance(text, str) and 0 <= int(row) < result.total):
            raise CorruptResult("the messages of this sweep do not fit its cells.")
        result._messages[int(row)] = text[:LONGEST_MESSAGE]
    return result
