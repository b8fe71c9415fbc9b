"""The runs that ship, so that the Theorems page opens with finished figures.

Of each statement: its first problem at every α of its rates, twins and sweep included; of the
other problems their own run.
"""

from collections.abc import Iterator
from dataclasses import replace

from lazycore.config.run import RunConfig
from lazycore.papers import shelf
from lazycore.papers.reproduction import Job
from lazycore.papers.shelf import Shipment
from lazycore.papers.theorem import Theorem, theorems
from lazycore.results.run import RunResult

PRECISE = (".outputs", ".train_loss")
"""Ends of the names of quantities that ship in full."""


def statements() -> list[Theorem]:
    """Return the statements of this paper."""
    return [theorem for theorem in theorems().values() if theorem.paper == "lazy-training"]


def configs(theorem: Theorem) -> list[RunConfig]:
    """Return the runs that ship with this statement, without twins, which follow from results."""
    first = next(iter(theorem.examples.values()))
    others = [replace(first, alpha=alpha) for alpha in theorem.alphas]
    return list({c.digest: c for c in (*theorem.examples.values(), *others)}.values())


def jobs() -> list[Job]:
    """Return everything that ships, without twins."""
    runs = [config for theorem in statements() for config in configs(theorem)]
    return [*runs, *(theorem.sweep for theorem in statements() if theorem.sweep)]


def twins(result: RunResult) -> Iterator[RunConfig]:
    """Yield the further runs of the statements that this run ships with."""
    for theorem in statements():
        if result.digest in {config.digest for config in configs(theorem)}:
            yield from theorem.companions(result).values()


def slim(result: RunResult) -> RunResult:
    """Return the run in single precision, but for what rates are read off by small differences."""
    exact = {k: v for k, v in result.series.items() if k.endswith(PRECISE)}
    narrow = shelf.slim(result)
    return replace(narrow, series={**narrow.series, **exact})


SHIPS = (Shipment(name="theorems", folder="theorems", jobs=jobs, slim=slim, twins=twins),)
