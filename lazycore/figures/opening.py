"""A record that somebody hands in: read and drawn apart, within limits, before a page opens it."""

from lazycore.errors import CorruptResult
from lazycore.figures import export, panels_of
from lazycore.machine.apart import Limits, apart
from lazycore.results.run import RunResult

LARGEST_UNPACKED = 48 * 2**20
"""Bytes that a record may unpack to that comes in through the page."""
LIMITS = Limits(10.0, 250)


def opened(data: bytes) -> RunResult:
    """Return the record in these bytes; `CorruptResult` for what is none, or takes too much."""
    found = apart(f"{__name__}:drawn", data, [], LIMITS, CorruptResult)
    return RunResult.from_bytes(found, LARGEST_UNPACKED)


def drawn(data: bytes) -> bytes:
    """Return the record in these bytes once all its figures have been drawn and taken away as
    numbers; what a process of its own does."""
    result = RunResult.from_bytes(data, LARGEST_UNPACKED)
    for panel in panels_of(result):
        export.csv(panel.draw(result, True))
    return result.to_bytes()
