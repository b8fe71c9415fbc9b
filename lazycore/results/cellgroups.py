"""Cells of a sweep that differ in their seeds only, and the short names that links have for them.

1f0c…:width=50:alpha=10     the cells of the sweep 1f0c… at that width and that α
1f0c…:width=50              at that width, whatever else
1f0c…                       all of them, or the run of that digest
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lazycore.config.axes import word
from lazycore.config.sweep import Cell, SweepConfig
from lazycore.errors import ConfigError
from lazycore.results import npz
from lazycore.results.groups import counted
from lazycore.results.plane import SEEDS, Axis, plain
from lazycore.results.store import checked_digest
from lazycore.results.sweep import LARGEST_FILE, SCHEMA, SweepResult
from lazycore.results.tabled import counts_of


@dataclass(frozen=True)
class CellGroup:
    """Cells of one sweep that differ in their seeds only.

    token: what names them in a link. label: where they are, `α 10, width 50, N = 5`.
    verdicts: how many of those that ended have which.
    """

    token: str
    label: str
    digests: tuple[str, ...]
    verdicts: str


def token(digest: str, values: Mapping[str, Any]) -> str:
    """Return the name that a link has for the cells of this sweep with these values."""
    return ":".join([digest, *(f"{name}={word(value)}" for name, value in values.items())])


def label_of(values: Mapping[str, Any], count: int) -> str:
    """Return what so many cells with these values are called in a list: `width 50, N = 5`."""
    where = [f"{Axis(name, ()).said} {plain(value)}" for name, value in values.items()]
    return ", ".join([*where, *([f"N = {count}"] if count > 1 or not where else [])])


def parsed(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the digest in a name, and the parts that say which of the sweep's cells.

    Raises `ConfigError` for what is no name.
    """
    digest, *parts = text.split(":")
    if wrong := next((part for part in parts if not all(part.partition("="))), None):
        raise ConfigError(f"{wrong[:40]!r} says nothing of a sweep's cells: write name=value.")
    return checked_digest(digest), tuple(parts)


def cells_at(config: SweepConfig, parts: Sequence[str]) -> list[Cell]:
    """Return the cells of a sweep that have all these `name=value`, in their order.

    Raises `ConfigError` where none has.
    """
    found = [cell for cell in config.cells if set(parts) <= _words(cell)]
    if not found:
        said = ", ".join(parts)
        axes = ", ".join(config.axes)
        raise ConfigError(f"No cell of the sweep {config.digest} has {said}: its axes are {axes}.")
    return found


def cell_groups(table: SweepResult) -> list[CellGroup]:
    """Return the groups of seeds that the cells of this sweep make up, in their order."""
    found: dict[tuple, list[Cell]] = {}
    for cell in table.config.cells:
        at = {name: value for name, value in cell.values.items() if name not in SEEDS}
        found.setdefault(tuple(at.items()), []).append(cell)
    return [_group(table, dict(at), cells) for at, cells in found.items()]


def verdicts_in(data: bytes) -> dict[str, int]:
    """Return how many cells of the table in these bytes have which verdict; errors as for
    `SweepResult.from_bytes`. No cell is formed, which takes a tenth of a millisecond each."""

    def count(head: Any, arrays: npz.Arrays) -> dict[str, int]:
        return counts_of(arrays["verdict"])

    return npz.unpack(data, "sweep", SCHEMA, LARGEST_FILE, count)


def _group(table: SweepResult, at: Mapping[str, Any], cells: Sequence[Cell]) -> CellGroup:
    digests = tuple(cell.digest for cell in cells)
    ended = [d for d in digests if table.status(d) != "missing"]
    words = [str(table.verdict(d)) if table.status(d) == "done" else table.status(d) for d in ended]
    label = label_of(at, len(cells))
    return CellGroup(token(table.digest, at), label, digests, counted(words) if words else "")


def _words(cell: Cell) -> set[str]:
    return {f"{name}={word(value)}" for name, value in cell.values.items()}
