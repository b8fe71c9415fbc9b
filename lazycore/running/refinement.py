"""A flow is answered twice: soon and in full length, then as closely as was asked for.

Every gap of the first answer comes with its error, as that of the second does: it is a run of its
own at a looser tolerance, with fewer recorded times. No torch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from lazycore.config.moments import geometric_times
from lazycore.config.spec import Values
from lazycore.results.snapshots import Snapshot

LOOSE = 0.1
"""The tolerance of the first answer. The default run takes 220 gradients at it, and 3,900 at
the default tolerance."""

WORTH = 3.0
"""How much looser that is than what is asked for, at least: else one answer is as good as two."""

RECORDS = 50
"""Times of the first answer: on a logarithmic axis no more are seen, and each is measured."""

SHARE = 0.05
"""The share of the work that the first answer counts as."""


def first_answer(values: Values) -> Values | None:
    """Return the fields of a first answer to this run; None where it has one answer only.

    Without the kernels over time, which cost more than the run does.
    """
    tolerance = values.get("tolerance")
    if tolerance is None or WORTH * tolerance > LOOSE:
        return None
    loose = {**values, "tolerance": LOOSE}
    return {**loose, "keep": "curves"} if loose.get("keep") == "kernels" else loose


def first_times(time: float) -> np.ndarray:
    """Return the recorded times of a first answer, in those of a run the first and the last."""
    return geometric_times(time, RECORDS)


def as_first(snapshots: Iterator[Snapshot]) -> Iterator[Snapshot]:
    """Yield these snapshots as those of a first answer."""
    for snapshot in snapshots:
        latest = {**snapshot.latest, "first_tolerance": LOOSE}
        yield replace(snapshot, first=True, progress=SHARE * snapshot.progress, latest=latest)


def as_second(snapshots: Iterator[Snapshot]) -> Iterator[Snapshot]:
    """Yield these snapshots as those that follow a first answer."""
    for snapshot in snapshots:
        yield replace(snapshot, progress=SHARE + (1.0 - SHARE) * snapshot.progress)


def pace_of_second(passed: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return of what a run of two answers has come to, (seconds, share), the second answer's
    part with the share of its own: the first has another pace, which tells nothing of it."""
    return [(at, (share - SHARE) / (1.0 - SHARE)) for at, share in passed if share > SHARE]
