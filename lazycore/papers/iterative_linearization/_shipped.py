"""The runs over K that ship, so that the Refresh page opens with finished figures."""

from dataclasses import replace

from lazycore.papers import shelf
from lazycore.papers.iterative_linearization import problems
from lazycore.papers.shelf import Shipment
from lazycore.results.run import RunResult

KEPT = ("_loss", "_error", "displacement", "output_change", "gap", "_output", ".outputs")
"""Ends of the names of series that ship."""


def slim(result: RunResult) -> RunResult:
    """Return the run in single precision, without what the page does not show."""
    narrow = shelf.slim(result)
    series = {k: v for k, v in narrow.series.items() if k.endswith(KEPT)}
    sparse = {k: v for k, v in narrow.sparse.items() if not k.startswith("neurons")}
    latest = {k: v for k, v in narrow.latest.items() if not k.startswith("neurons")}
    return replace(narrow, series=series, sparse=sparse, latest=latest)


SHIPS = (Shipment(name="refresh", folder="refresh", jobs=problems.configs, slim=slim),)
