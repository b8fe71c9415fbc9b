"""How the weights move: one file per algorithm.

A file whose name does not start with an underscore holds a `SPEC` and

    trajectories(problems, values, records, limits) → iterator of (lane, Moment)

for runs of one shape, a moment per lane and recorded time: `records` are the steps or times
wanted (None: about 200, geometric), `limits` the evaluations after which adaptive runs end
on their budget. Names that start with an underscore are what several of them use.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lazycore.config import spec
from lazycore.config.moments import Moment

if TYPE_CHECKING:
    from lazycore.engine.problem.problem import Problem


def trajectory(
    problem: "Problem",
    values: spec.Values,
    record: np.ndarray | None = None,
    limit: int | None = None,
) -> Iterator[Moment]:
    """Yield the moments of one run, by the dynamics that its values name."""
    file = spec.find("dynamics", values["dynamics"])
    found = file.trajectories(
        [problem],
        [values],
        None if record is None else [record],
        None if limit is None else [limit],
    )
    for _, moment in found:
        yield moment
