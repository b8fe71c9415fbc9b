"""`SweepResult`: what the cells of a sweep came to, as one tidy table. No torch.

It holds numbers, not curves: those are in the store, one run for each cell. A cell that has
gone wrong keeps its row and says so. Where runs record what they answer on the test points at
last, the table holds that too: what an ensemble does is in no number of its members.
"""

# pyright: reportUnnecessaryIsInstance=false, reportMissingTypeStubs=false, reportUnknownMemberType=false
# Whoever calls from a notebook has no type checker: what is handed in is looked at.
# pandas says no types.

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from lazycore.config.axes import axis_text
from lazycore.config.run import ENGINE_VERSION
from lazycore.config.spec import kind_of
from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError, CorruptResult
from lazycore.machine.once import once
from lazycore.results import answers, cards, drawn, npz
from lazycore.results.quantities import QUANTITIES, measure
from lazycore.results.run import RunResult
from lazycore.results.tabled import REDUCTIONS, VERDICTS, check_table, counts_of, reduced, scales

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "lazylab-sweep-1"
LARGEST_FILE = 64 * 2**20
"""Bytes that a table may unpack to: more is refused before it is read."""
STATUSES = ("missing", "done", "diverged", "budget", "failed")
LONGEST_MESSAGE = 500
SHOWN = {cards.GAP: "relative_gap", cards.KERNEL: "kernel_change"}
"""Quantities of which a table says where they lie, by what they are called."""
OUTPUTS = "nonlinear.test_outputs"
"""What a run records of its final outputs αh, one a test point."""


class SweepResult:
    """The table of `config`: one row for each cell, in their order, missing until added.

    config: the sweep. values: (cells, quantities) floats, NaN where there is none.
    """

    def __init__(self, config: SweepConfig) -> None:
        if not isinstance(config, SweepConfig):
            raise ConfigError(f"config is {kind_of(config)}: give a SweepConfig.")
        self.config = config
        self.values = np.full((len(config.cells), len(QUANTITIES)), np.nan)
        self._status = np.zeros(len(config.cells), dtype=np.uint8)
        self._verdict = np.zeros(len(config.cells), dtype=np.uint8)
        self._messages: dict[int, str] = {}
        self._outputs: np.ndarray | None = None

    def add(self, digest: str, result: RunResult) -> None:
        """Keep what the run of a cell came to: its status, verdict and quantities, and where it
        did not reach its end, the diagnosis that it has of that.

        digest: of the cell. result: its run; `ConfigError` for a partial one, or no cell's.
        """
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
        """Keep that the cell of this digest could not be computed, and why: the message."""
        row = self._row(digest)
        self._status[row] = STATUSES.index("failed")
        self._verdict[row] = 0
        self.values[row] = np.nan
        self._messages[row] = message[:LONGEST_MESSAGE]
        self._keep_outputs(row, np.array([]))

    def __repr__(self) -> str:
        return self._card.text()

    def _repr_html_(self) -> str:
        return drawn.html(self, self._card)

    @property
    def _card(self) -> cards.Card:
        words = [
            (STATUSES[s], VERDICTS[v]) for s, v in zip(self._status, self._verdict, strict=True)
        ]
        names = list(QUANTITIES)
        shown = {n: self.values[:, names.index(q)] for n, q in SHOWN.items()}
        axes = tuple((name, axis_text(name, v)) for name, v in self.config.axes.items())
        shared = {k: v for k, v in self.config.base.given().items() if k not in self.config.axes}
        rest = (("each run", cards.called(shared) or "as by default"), ("digest", self.digest))
        return cards.of_table("SweepResult", axes, words, self._messages.values(), shown, rest)

    @property
    def axes_and_base(self) -> tuple[Mapping[str, tuple[Any, ...]], Mapping[str, Any]]:
        """The axes with their values, and what all runs have in common, for who draws this."""
        return self.config.axes, self.config.base.resolve().to_dict()

    def figures(self) -> dict[str, str]:
        """Return the figures that this table has: name → what it answers."""
        return drawn.artist().figures(self)

    def plot(
        self, name: str = "lines", quantity: str = "relative_gap", **view: Any
    ) -> "drawn.Figure":
        """Return one of `figures()` as a plotly Figure.

        quantity: a column of `frame`. view: `x` and `y`, the names of its axes; and the value of
        any other axis by its name, the first one where it is left out.
        Raises `ConfigError` for a name that is no figure, quantity or axis of this table,
        `LazyLabError` where plotly is not installed.
        """
        return drawn.artist().plot(self, name, {"quantity": quantity} | view)

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
        """Return what the run of this digest is: missing, done, diverged, budget or failed."""
        return STATUSES[int(self._status[self._row(digest)])]

    def verdict(self, digest: str) -> str | None:
        """Return the verdict of the cell of this digest, None while it has none."""
        return VERDICTS[int(self._verdict[self._row(digest)])] or None

    def message(self, digest: str) -> str | None:
        """Return why the cell of this digest failed or ended early, None where nobody knows."""
        return self._messages.get(self._row(digest))

    @property
    def frame(self) -> "pd.DataFrame":
        """The table as a pandas frame, one row for each cell: the axes, and α and α√width where
        they are none, digest, status, verdict, message, and one column for each quantity."""
        import pandas as pd

        cells = self.config.cells
        head: dict[str, Any] = {
            name: [cell.values[name] for cell in cells] for name in self.config.axes
        }
        head |= scales(self.config, head)
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
        """Return a quantity over two axes, of shape (values of y_axis, values of x_axis).

        Axes named in `at` are held at that value; over the others the cells that have a number
        are reduced: to their median, or mean, min, max as `reduce` says. NaN where none has one.
        Raises `ConfigError` for a name that is no axis or quantity.
        """
        at = dict(at or {})
        axes = self.config.axes
        for name in (x_axis, y_axis, *at):
            if name not in axes:
                raise ConfigError(f"{name!r} is no axis of this sweep: give {', '.join(axes)}.")
        is_plane = x_axis != y_axis and not {x_axis, y_axis} & at.keys()
        if quantity not in QUANTITIES or reduce not in REDUCTIONS or not is_plane:
            raise ConfigError(f"no grid of {quantity!r} by {reduce!r} over {x_axis} and {y_axis}.")
        column = self.values[:, list(QUANTITIES).index(quantity)]
        return reduced(column, axes, x_axis, y_axis, at, REDUCTIONS[reduce])

    def to_dict(self) -> dict[str, Any]:
        """Return the table as JSON-able data, one object for each cell; null where NaN."""
        rows = cast(list[dict[str, Any]], self.frame.astype(object).to_dict("records"))
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
        """Return the table in these bytes, data of `to_bytes`; else `CorruptResult`."""
        return npz.unpack(data, "sweep", SCHEMA, LARGEST_FILE, cls._assembled)

    @classmethod
    def _assembled(cls, head: Any, arrays: npz.Arrays) -> "SweepResult":
        result = cls(_config(json.dumps(head["config"])))
        names: list[str] = head["quantities"]
        check_table(arrays, result.total, names, (len(STATUSES), len(VERDICTS)))
        # A quantity that is no more is left out; one that is new has no numbers yet.
        for column, name in enumerate(QUANTITIES):
            if name in names:
                result.values[:, column] = arrays["values"][:, names.index(name)]
        result._status, result._verdict = arrays["status"], arrays["verdict"]
        result._outputs = arrays.get("test_outputs")
        for row, text in head["messages"].items():
            if not (isinstance(text, str) and 0 <= int(row) < result.total):
                raise CorruptResult("the messages of this sweep do not fit its cells.")
            result._messages[int(row)] = text[:LONGEST_MESSAGE]
        return result

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
        """Return the table in the file at `path`; `ResultNotFound` or `CorruptResult` else."""
        return cls.from_bytes(npz.read(path))

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


@lru_cache(maxsize=8)
def _config(text: str) -> SweepConfig:
    """Return the sweep of this JSON: a page reads one table many times while it fills."""
    return SweepConfig.from_dict(json.loads(text))
