"""`Snapshot`: what a run yields. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lazycore.results import cards


@dataclass(frozen=True, kw_only=True, repr=False)
class Snapshot:
    """What is measured at one recorded time.

    time: flow time. progress: share of the work done, 0 to 1.
    series: quantities recorded at every time, a number or an array (layers,), (points, k), …
        each, in the units of the record (`docs/quantities.md`); NaN is "no value".
    sparse: quantities recorded now and then (the kernel); empty at other times.
    latest: quantities of which the last value replaces the ones before.
    first: whether it is of the first of two answers, which is soon there and less close.
    more: whether the next one is there already: some are measured together.
    """

    time: float
    progress: float = 0.0
    series: Mapping[str, Any] = field(default_factory=dict[str, Any])
    sparse: Mapping[str, Any] = field(default_factory=dict[str, Any])
    latest: Mapping[str, Any] = field(default_factory=dict[str, Any])
    first: bool = False
    more: bool = False

    def __repr__(self) -> str:
        return cards.of_snapshot(self).text()

    def _repr_html_(self) -> str:
        return cards.of_snapshot(self).html()


def answer(snapshots: list[Snapshot], is_partial: bool) -> list[Snapshot]:
    """Return those of the answer that is to be shown, of one or two."""
    first = [snapshot for snapshot in snapshots if snapshot.first]
    second = snapshots[len(first) :]
    is_whole = bool(second) and (not is_partial or second[-1].progress >= 1.0)
    return second if is_whole or not first else first
