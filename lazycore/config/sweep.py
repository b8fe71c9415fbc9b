"""`SweepConfig`: one run, and the fields that take several values each. No torch.

A cell of the sweep is an ordinary run, so that what a sweep has computed is found wherever
runs are.
"""

# pyright: reportUnnecessaryIsInstance=false, reportUnnecessaryComparison=false
# Whoever calls from a notebook has no type checker: what is handed in is looked at.

import hashlib
import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from lazycore.config.axes import DERIVED, LARGEST, axis_text, checked, is_axis, parse_axis, word
from lazycore.config.card import Card
from lazycore.config.run import ENGINE_VERSION, RunConfig
from lazycore.config.spec import as_text, kind_of, shown
from lazycore.errors import ConfigError
from lazycore.machine.once import once

MOST_AXES = 6


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One run of a sweep. `values`: what its axes are, by name, in their order."""

    values: Mapping[str, Any]
    config: RunConfig

    @once
    def digest(self) -> str:
        """The digest of the run."""
        return self.config.digest

    @property
    def name(self) -> str:
        """What tells this cell from the others, in words."""
        return ", ".join(f"{name}={word(value)}" for name, value in self.values.items())


@dataclass(frozen=True, kw_only=True, repr=False)
class SweepConfig:
    """A run and the values that some of its fields take, checked where it is born.

    Its cells are all combinations, the last axis fastest. Of `base`, the fields that an axis
    sets are replaced by the first cell's, so that equal sweeps are equal.

    >>> sweep = SweepConfig.from_text({"task": "sine", "alpha": "1:100:3", "width": "32,64"})
    >>> sweep.shape, sweep.axes["alpha"], sweep.cells[1].values
    ((3, 2), (1.0, 10.0, 100.0), {'alpha': 1.0, 'width': 64})
    >>> SweepConfig.from_text({"alpha": "0:10"})
    Traceback (most recent call last):
    lazycore.errors.ConfigError: alpha=0:10 says no number of values: write low:high:count.
    """

    base: RunConfig
    axes: Mapping[str, tuple[Any, ...]]

    def __post_init__(self) -> None:
        if not isinstance(self.base, RunConfig):
            raise ConfigError(f"base is {kind_of(self.base)}: give a RunConfig.")
        if not isinstance(self.axes, Mapping):
            raise ConfigError(f"axes is {kind_of(self.axes)}: give a dict of lists of values.")
        object.__setattr__(self, "axes", _checked_axes(self.axes))
        object.__setattr__(self, "base", self.cells[0].config)

    def __repr__(self) -> str:
        return self._card.text()

    def _repr_html_(self) -> str:
        return self._card.html()

    @property
    def _card(self) -> Card:
        sizes = " × ".join(map(str, self.shape))
        axes = tuple((name, axis_text(name, values)) for name, values in self.axes.items())
        shared = [f"{k}={v!r}" for k, v in self.base.given().items() if k not in _set_by(self.axes)]
        rows = (*axes, ("each run", ", ".join(shared) or "as by default"), ("digest", self.digest))
        return Card(kind="SweepConfig", head=f"{sizes} = {len(self.cells)} runs", rows=rows)

    @once
    def cells(self) -> tuple[Cell, ...]:
        """The runs, the last axis fastest."""
        given = {k: v for k, v in self.base.given().items() if k not in _set_by(self.axes)}
        return _distinct(_cells(given, self.axes))

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis."""
        return tuple(len(values) for values in self.axes.values())

    @once
    def digest(self) -> str:
        """Sixteen hex digits that name this sweep, stable across processes; no run has them."""
        axes = [[name, list(values)] for name, values in self.axes.items()]
        content = [ENGINE_VERSION, "sweep", axes, [cell.digest for cell in self.cells]]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Return the sweep as JSON-able data; `from_dict` turns it back."""
        return {"base": self.base.given(), "axes": {k: list(v) for k, v in self.axes.items()}}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "SweepConfig":
        """Return the sweep of {"base": fields, "axes": {name: values}}.

        Raises `ConfigError` for what is not built like that, and for a cell that cannot be.
        """
        if not isinstance(values, Mapping) or values.keys() != {"base", "axes"}:
            raise ConfigError('a sweep is an object of two parts, "base" and "axes".')
        base, axes = values["base"], values["axes"]
        if not isinstance(base, Mapping) or not isinstance(axes, Mapping):
            raise ConfigError('"base" and "axes" of a sweep are objects of fields.')
        fields, values = cast(Mapping[str, Any], base), cast(Mapping[str, Any], axes)
        return cls._of({k: v for k, v in fields.items() if v is not None}, values)

    @classmethod
    def from_text(cls, values: Mapping[str, str], most: int = LARGEST) -> "SweepConfig":
        """Return the sweep that a link or a command line spells out, field by field.

        values: texts by field; one that has a comma or a colon is an axis, in the order given.
        most: cells, which are counted before there is any.
        Raises `ConfigError` for what is no text, and for a cell that cannot be.
        """
        given = as_text(values)
        axes = {name: parse_axis(name, v) for name, v in given.items() if is_axis(name, v)}
        _check_count(axes, most)
        rest = {name: v for name, v in given.items() if name not in axes}
        for name in axes.keys() & DERIVED.keys():
            if (set_by := DERIVED[name].sets) in rest:
                raise ConfigError(f"{name} sets {set_by}: leave {set_by}={rest[set_by]} out.")
        return cls._of({name: RunConfig.parse_field(name, v) for name, v in rest.items()}, axes)

    def to_text(self) -> dict[str, str]:
        """Return the sweep as text; `from_text` turns it back into an equal one."""
        fixed = self.base.to_text()
        axes = {name: axis_text(name, values) for name, values in self.axes.items()}
        return {k: v for k, v in fixed.items() if k not in _set_by(self.axes)} | axes

    @classmethod
    def _of(cls, fields: dict[str, Any], axes: Mapping[str, Any]) -> "SweepConfig":
        """Return the sweep over these fields, which need be no run without an axis' values."""
        axes = _checked_axes(axes)
        first = {name: values[:1] for name, values in axes.items()}
        given = {k: v for k, v in fields.items() if k not in _set_by(axes)}
        return cls(base=_cells(given, first)[0].config, axes=axes)


def _set_by(axes: Mapping[str, Any]) -> set[str]:
    """Return the fields that these axes set, their own names included."""
    return set(axes) | {DERIVED[name].sets for name in axes if name in DERIVED}


def _checked_axes(axes: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Return the axes with numbers of their fields' kinds; their ranges are the cells' affair."""
    if not axes:
        raise ConfigError(
            "a sweep needs a field with several values, as in alpha=0.1,1,10: this is one run."
        )
    if len(axes) > MOST_AXES:
        raise ConfigError(f"{len(axes)} axes are too many: give at most {MOST_AXES}.")
    setters: dict[str, str] = {}
    for name, derived in DERIVED.items():
        if name in axes and derived.sets in axes:
            raise ConfigError(f"{name} sets {derived.sets}: sweep over one of the two.")
        if name in axes and setters.setdefault(derived.sets, name) != name:
            other = setters[derived.sets]
            raise ConfigError(f"{other} and {name} both set {derived.sets}: give one of the two.")
    found = {name: checked(str(name), values) for name, values in axes.items()}
    _check_count(found, LARGEST)
    return found


def _check_count(axes: Mapping[str, tuple[Any, ...]], most: int) -> None:
    count = math.prod(len(values) for values in axes.values())
    if count > most:
        sizes = " × ".join(str(len(values)) for values in axes.values())
        where = "" if most == LARGEST else f" here, and {LARGEST:,} on the command line"
        raise ConfigError(f"{sizes} = {count:,} cells are too many: at most {most:,}{where}.")


def _cells(given: Mapping[str, Any], axes: Mapping[str, tuple[Any, ...]]) -> tuple[Cell, ...]:
    """Return the cells of these axes over the fields `given`, which hold none that they set."""
    known: dict[tuple[Any, ...], dict[str, Any]] = {}
    found: list[Cell] = []
    for point in itertools.product(*axes.values()):
        values = dict(zip(axes, point, strict=True))
        plain = {name: value for name, value in values.items() if name not in DERIVED}
        try:
            fields = {**given, **plain}
            for name in values.keys() & DERIVED.keys():
                key = tuple(plain.values())
                if key not in known:
                    known[key] = RunConfig.from_dict(fields).resolve().to_dict()
                derived = DERIVED[name]
                fields = fields | {derived.sets: derived.of(values[name], known[key])}
            found.append(Cell(values=values, config=RunConfig.from_dict(fields)))
        except ConfigError as error:
            where = ", ".join(f"{name}={word(value)}" for name, value in values.items())
            raise ConfigError(f"the cell {where} cannot be: {error}") from error
    return tuple(found)


def _distinct(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    seen: dict[str, Cell] = {}
    for cell in cells:
        other = seen.setdefault(cell.digest, cell)
        if other is not cell:
            name = next(k for k, v in cell.values.items() if v != other.values[k])
            raise ConfigError(
                f"{name}={shown(other.values[name])} and {name}={shown(cell.values[name])} are "
                f"the same run: nothing else depends on it here, so leave {name} out."
            )
    return cells
