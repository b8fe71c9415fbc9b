"""`RunResult`: what is kept of the snapshots that a run yields. No torch.

A run is a stream of snapshots; `RunResult.collect` folds them, whole or as far as they have
come, so a partial result is a result. Quantities go by dotted names that are at once the
keys of the JSON (`nonlinear.train_loss`) and of the arrays in the file: a new quantity is
one more name, and no code here.
"""

# pyright: reportUnnecessaryIsInstance=false, reportMissingTypeStubs=false, reportUnknownMemberType=false
# Whoever calls from a notebook has no type checker: what is handed in is looked at.
# pandas says no types.

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lazycore.config.run import ENGINE_VERSION, RunConfig
from lazycore.config.spec import kind_of
from lazycore.errors import ConfigError, CorruptResult
from lazycore.machine.once import once
from lazycore.results import cards, drawn, npz
from lazycore.results.plaindata import is_array, nested, plain, stacked
from lazycore.results.quantities import ALL
from lazycore.results.quantities.apart import GAP
from lazycore.results.quantities.declared import LEFT_OUT
from lazycore.results.quantities.kernel import KERNEL_CHANGE
from lazycore.results.quantities.models import OUTPUT_CHANGE, STATUS, TRAIN_LOSS
from lazycore.results.quantities.whole import NUMERICAL_ERROR
from lazycore.results.recorded import MODELS, check_record
from lazycore.results.snapshots import Snapshot, answer
from lazycore.results.verdict import Finding, finding, share_learned, so_far

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "lazylab-result-1"
LARGEST_FILE = 256 * 2**20
"""Bytes that a result may unpack to: more is refused before it is read."""

STATUSES = ("done", "diverged", "cancelled", "budget")


def _absent(path: str | None) -> dict[str, Any]:
    """Return what stands in a record where the run has no such quantity, by its name."""
    return {
        quantity.key(path): quantity.absent
        for quantity in ALL
        if quantity.absent is not LEFT_OUT and (path in quantity.of or not (path or quantity.of))
    }


ALWAYS_PRESENT = {"refreshed": None, **_absent(None), **_absent(MODELS[0]), **_absent(MODELS[1])}
"""Keys of the JSON contract, and what stands there when the run has no such quantity."""

OF_THIRD = _absent("refreshed")
"""The same of the path of iterative linearisation, where the run has one."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RunResult:
    """One run: its config and everything that was recorded.

    time: (T,) flow times. series: arrays (T, …) by dotted name, NaN where there is no value.
    kernel_time: (T_k,) times of the sparse quantities. sparse: arrays (T_k, …).
    latest: numbers, words and arrays that hold for the run as a whole.
    """

    config: Mapping[str, Any] | None
    status: str
    time: np.ndarray
    series: Mapping[str, np.ndarray]
    kernel_time: np.ndarray
    sparse: Mapping[str, np.ndarray]
    latest: Mapping[str, Any]

    @classmethod
    def collect(
        cls, config: RunConfig | None, snapshots: Iterable[Snapshot], status: str | None = None
    ) -> "RunResult":
        """Return the result of these snapshots, which may be the first part of a run.

        config: of the run; None where there is none. Raises `ConfigError` for another thing.
        `status` overrides what the run says of itself ("cancelled" for a partial one). Of a run
        with two answers this is the last one that has come to its end: a partial one is the first
        answer, in full length, until the second is there.
        """
        if not (config is None or isinstance(config, RunConfig)):
            raise ConfigError(f"config is {kind_of(config)}: give a RunConfig, or None.")
        snapshots = answer(list(snapshots), is_partial=status is not None)
        latest: dict[str, Any] = {}
        for snapshot in snapshots:
            latest |= snapshot.latest
        sparse = [s for s in snapshots if s.sparse]
        said = latest.pop("status", "done")
        return cls(
            config=config.resolve().to_dict() if config is not None else None,
            status=status or said,
            time=np.array([s.time for s in snapshots], dtype=float),
            series=stacked([s.series for s in snapshots]),
            kernel_time=np.array([s.time for s in sparse], dtype=float),
            sparse=stacked([s.sparse for s in sparse]),
            latest=latest,
        )

    @once
    def digest(self) -> str:
        """The config's digest; of the content where there is no config (`compare`)."""
        if self.config is not None:
            return RunConfig.from_dict(self.config).digest
        parts = [f"{k}:{v.dtype}:{v.shape}".encode() + v.tobytes() for k, v in self._arrays()]
        return hashlib.sha256(b"".join(parts)).hexdigest()[:16]

    @once
    def finding(self) -> Finding:
        """The verdict with the threshold that decided (`lazycore.results.verdict`)."""
        return finding(**self._judged)

    @property
    def verdict(self) -> str:
        """lazy, crossover, rich or undecided (`lazycore.results.verdict`)."""
        return self.finding.word

    @property
    def so_far(self) -> str:
        """Where a run stands before its end, in a sentence without a verdict."""
        return so_far(**self._judged)

    @property
    def _judged(self) -> dict[str, Any]:
        return {
            "gap": GAP.values(self),
            "change": OUTPUT_CHANGE.values(self, "linearized"),
            "kernel_change": KERNEL_CHANGE.values(self),
            "numerical_error": self.numerical_error,
            "learned": self.learned,
            "diverged": any(self.latest.get(STATUS.key(m)) == "diverged" for m in MODELS),
        }

    @property
    def numerical_error(self) -> float:
        """Error of the method, in the units of the output gap; ∞ where nothing is known."""
        known = self.latest.get(NUMERICAL_ERROR.name)
        return math.inf if known is None or math.isnan(known) else float(known)

    @property
    def learned(self) -> float:
        """Share of its training loss that a model has lost at best, the larger of both models'."""
        return share_learned(*(TRAIN_LOSS.values(self, model) for model in MODELS))

    @property
    def notes(self) -> list[str]:
        """Sentences on what was done otherwise than one might think."""
        return [str(note) for note in self.latest.get("notes", ())]

    def __repr__(self) -> str:
        return cards.of_run(self).text()

    def _repr_html_(self) -> str:
        return drawn.html(self, cards.of_run(self))

    def figures(self) -> dict[str, str]:
        """Return the figures that this run has the quantities for: name → what it answers."""
        return drawn.artist().figures(self)

    def plot(self, name: str = "losses", *, log: bool = True) -> "drawn.Figure":
        """Return one of `figures()` as a plotly Figure.

        log: whether its axes are logarithmic where that makes sense.
        Raises `ConfigError` for a name that is no figure of this run, `LazyLabError` where plotly
        is not installed.
        """
        return drawn.artist().plot(self, name, {"log": log})

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON-able data: the contract's keys, and the further ones."""
        flat: dict[str, Any] = dict(ALWAYS_PRESENT)
        if "refreshed.train_loss" in self.series:
            flat |= OF_THIRD
        for group in (self.series, self.sparse, self.latest):
            flat |= {key: plain(value) for key, value in group.items()}
        flat |= {"kernel_time": plain(self.kernel_time), "time": plain(self.time)}
        head = {
            "config": dict(self.config) if self.config is not None else None,
            "digest": self.digest,
            "engine_version": ENGINE_VERSION,
            "status": self.status,
            "verdict": self.verdict,
            "learned": self.learned,
        }
        return head | nested(flat) | head  # nothing recorded may pass for the head

    @property
    def history(self) -> "pd.DataFrame":
        """Everything recorded over time as a tidy pandas frame: time, quantity, value."""
        import pandas as pd

        parts = [
            pd.DataFrame({"time": time, "quantity": name, "value": values})
            for time, group in ((self.time, self.series), (self.kernel_time, self.sparse))
            for name, values in group.items()
            if values.ndim == 1
        ]
        empty = pd.DataFrame({"time": list[float](), "quantity": [], "value": []})
        return pd.concat(parts, ignore_index=True) if parts else empty

    def to_bytes(self) -> bytes:
        """Return the record as a compressed npz file: arrays and one JSON head, no objects."""
        head = {
            "schema": SCHEMA,
            "config": self.config,
            "status": self.status,
            "latest": {k: plain(v) for k, v in self.latest.items() if not is_array(v)},
        }
        return npz.pack(head, dict(self._arrays()))

    @classmethod
    def from_bytes(cls, data: bytes, largest: int | None = None) -> "RunResult":
        """Return the result in these bytes; `CorruptResult` for anything that is not one.

        data: what `to_bytes` gave. largest: bytes that it may unpack to, `LARGEST_FILE` where
        left out.
        """
        return npz.unpack(data, "result", SCHEMA, largest or LARGEST_FILE, cls._assembled)

    @classmethod
    def _assembled(cls, head: Any, arrays: npz.Arrays) -> "RunResult":
        if head["status"] not in STATUSES:
            said = f"status={str(head['status'])[:40]!r}"
            raise CorruptResult(f"{said} is not one of {', '.join(STATUSES)}.")
        config = head["config"]
        groups: dict[str, dict[str, np.ndarray]] = {"series": {}, "sparse": {}, "latest": {}}
        time, kernel_time = arrays.pop("time"), arrays.pop("kernel_time")
        for name, array in arrays.items():
            group, _, key = name.partition("/")
            if group not in groups:
                raise CorruptResult(f"the array {name[:40]!r} is none of a run.")
            groups[group][key] = array
        result = cls(
            config=RunConfig.from_dict(config).resolve().to_dict() if config is not None else None,
            status=head["status"],
            time=time,
            series=groups["series"],
            kernel_time=kernel_time,
            sparse=groups["sparse"],
            latest=head["latest"] | groups["latest"],
        )
        check_record(result)
        _ = result.verdict  # reads what a page shows first: words for numbers end here
        return result

    def save(self, path: str | Path) -> Path:
        """Write the record to `path` and return it; the file opens on the Runs page."""
        return npz.written(path, lambda: Path(path).write_bytes(self.to_bytes()))

    @classmethod
    def load(cls, path: str | Path) -> "RunResult":
        """Return the result in the file at `path`.

        Raises `ResultNotFound` where it cannot be read, `CorruptResult` where it is no result.
        """
        return cls.from_bytes(npz.read(path))

    def _arrays(self) -> list[tuple[str, np.ndarray]]:
        named = [("time", self.time), ("kernel_time", self.kernel_time)]
        named += [(f"series/{k}", v) for k, v in sorted(self.series.items())]
        named += [(f"sparse/{k}", v) for k, v in sorted(self.sparse.items())]
        named += [(f"latest/{k}", v) for k, v in sorted(self.latest.items()) if is_array(v)]
        return named
