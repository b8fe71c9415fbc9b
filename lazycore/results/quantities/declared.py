"""What a quantity of a run is, and what a number is that a run comes to. numpy only.

A `Quantity` is what stands in a record under one name: over time, or once for the whole run. A
`Number` is what a finished run comes to in it: a column of a sweep's table. Both are declared once,
in a file of this folder; the schema of records, tables, Compare, figures and documents read them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

MODELS = ("nonlinear", "linearized")
PATHS = (*MODELS, "refreshed")
"""The network and its linearisation, and the third path that only some runs have."""
SAID = {
    "nonlinear": "network",
    "linearized": "linearised model",
    "refreshed": "iterative linearisation",
}
"""What each path is called before a quantity of it."""
PREFIX = {"nonlinear": "", "linearized": "linearized_", "refreshed": "refreshed_"}
"""What the name of a number begins with, by the path it is of."""

TIME, KERNEL_TIME, RUN, HEAD = "time", "kernel_time", "run", "head"
"""Where a quantity stands: over the recorded times, over those of the kernel, once for the run; or
it is formed from the others when the record is written."""
NUMBER, WORD, WORDS, STATE, ARRAY = "number", "word", "words", "state", "array"
"""What a quantity of the run as a whole is. The state of a model is `done` or `diverged`."""

OF_LOSS, OF_OUTPUTS = "loss", "outputs"
"""Units that depend on the loss of the run: that of the loss, and that of the outputs."""
WEIGHTS, SHARE, NO_UNIT, FLOW_TIME = "weight units", "share", "no unit", "flow time"

LEFT_OUT = object()
"""Of a quantity that a record does not have where the run has none of it."""


class Record(Protocol):
    """What a number is read from: the parts of a `RunResult`."""

    @property
    def config(self) -> Mapping[str, Any] | None:
        """The resolved fields of the run."""
        ...

    @property
    def series(self) -> Mapping[str, np.ndarray]:
        """Arrays over the recorded times, by name."""
        ...

    @property
    def sparse(self) -> Mapping[str, np.ndarray]:
        """Arrays over the times of the kernel, by name."""
        ...

    @property
    def latest(self) -> Mapping[str, Any]:
        """What holds for the run as a whole, by name."""
        ...


How = Callable[[Record, str], float]
"""(record, name of the quantity in it) → number, NaN where the run has none."""


@dataclass(frozen=True, kw_only=True)
class Number:
    """A number that a finished run comes to.

    name: its column, without the prefix of a model. words: as on an axis, without the model.
    how: from a record to the number. of: the paths that have the number; those of the quantity
    where it is None. unit, log: those of the quantity where they are None. label, help, form:
    what it is called under a run, in sentences, and how it is written there. levels: contours
    that are drawn of it where none are asked for, of several paths for the network alone.
    column: whether a sweep's table holds it.
    """

    name: str
    words: str
    how: How
    of: tuple[str, ...] | None = None
    unit: str | None = None
    log: bool | None = None
    label: str = ""
    help: str = ""
    form: str = ".3g"
    levels: tuple[float, ...] = ()
    column: bool = True

    def value(self, record: Record) -> float:
        """Return the number of this run, NaN where it has none that is finite."""
        value = self.how(record, "")
        return value if np.isfinite(value) else float("nan")


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantity:
    """What stands in a record under one name, or under one for each path.

    name: dotted, without the path where there are several. meaning: in a row of the documents.
    title: as on an axis, without its unit; "" where it has no axis of its own. unit: one of the
    units of this file. log: whether a logarithmic axis suits it. at: where it stands. of: the
    paths that have it each; () for one of the run. kind: of what stands once. axes: further
    axes. absent: what a record says where the run has none. needs: what it says nothing
    without. compared: its name in Compare and in links to it; "" where it is not drawn there.
    numbers: what a finished run comes to in it.
    """

    name: str
    meaning: str
    title: str = ""
    unit: str = NO_UNIT
    log: bool = True
    at: str = TIME
    of: tuple[str, ...] = ()
    kind: str = NUMBER
    axes: tuple[str, ...] = ()
    absent: Any = LEFT_OUT
    needs: tuple[str, ...] = ()
    compared: str = ""
    numbers: tuple[Number, ...] = ()

    def key(self, path: str | None = None) -> str:
        """Return its name in a record, of this path where it has several."""
        return f"{path}.{self.name}" if self.of else self.name

    @property
    def keys(self) -> tuple[str, ...]:
        """Its names in a record."""
        return tuple(self.key(path) for path in self.of) or (self.name,)

    def values(self, record: Record, path: str | None = None) -> np.ndarray:
        """Return what a record has of it over its times, (T, …); empty where it has none."""
        held = record.sparse if self.at == KERNEL_TIME else record.series
        return held.get(self.key(path), np.array([]))

    def columns(self) -> list[Number]:
        """Return its numbers, each by its full name, in full words and of one record alone."""
        return [
            replace(
                number,
                name=f"{PREFIX[path]}{number.name}" if path else number.name,
                words=f"{SAID[path]}: {number.words}" if path else number.words,
                how=_of_key(number.how, self.key(path)),
                unit=number.unit or self.unit,
                log=self.log if number.log is None else number.log,
                levels=number.levels if path in (None, MODELS[0]) else (),
            )
            for number in self.numbers
            for path in (self.of if number.of is None else number.of) or (None,)
        ]


def _of_key(how: How, key: str) -> How:
    return lambda record, _: how(record, key)
