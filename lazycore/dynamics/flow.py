"""Gradient flow w' = −∇F_α(w), both models integrated as one system on the same steps."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lazycore.config.fields import STOP, TIME, TOLERANCE
from lazycore.config.spec import Spec, Values

if TYPE_CHECKING:
    from lazycore.config.moments import Moment
    from lazycore.engine.problem.problem import Problem

SPEC = Spec(
    name="flow",
    meaning="gradient flow, integrated adaptively",
    reads=(TIME, TOLERANCE, STOP),
    facts={
        "evaluations": lambda values: None,
        "adaptive": 6000,
        "gradient_flow": True,
        "of_modules": True,
    },
)


def trajectories(
    problems: "Sequence[Problem]",
    values: Sequence[Values],
    records: Sequence[np.ndarray] | None = None,
    limits: Sequence[float] | None = None,
) -> "Iterator[tuple[int, Moment]]":
    """Yield (lane, moment) at about 200 times of each, with the error as it is known by then.

    Two integrations of each lane go side by side, one at ten times the tolerance (and eight
    times the step floor at kinks) of the other; the difference of their gaps is the error
    reported, twice it at kinks. It is the error of the coarser one; the finer one is shown.

    limits: evaluations of the right side after which a run ends on its budget.

    With stop=margins the times are geometric up to the end of each model, which is found within
    the step; the model that is left goes on alone (`_until_margins`).
    """
    from lazycore.config.moments import recorded_times
    from lazycore.engine.paths.side_by_side import side_by_side
    from lazycore.engine.paths.until_margins import until_margins
    from lazycore.engine.steppers.chebyshev import Chebyshev
    from lazycore.engine.steppers.handover import Sharpening
    from lazycore.engine.steppers.pair import is_stiff

    if values[0].get("stop") == "margins":
        yield from until_margins(problems, values, records, limits or [np.inf] * len(problems))
        return
    times = records or [recorded_times(value["time"]) for value in values]
    most = limits or [np.inf] * len(problems)
    stiff = [is_stiff(p, v["time"]) for p, v in zip(problems, values, strict=True)]
    for method, chosen in ((Chebyshev, True), (Sharpening, False)):
        lanes = [lane for lane in range(len(problems)) if stiff[lane] is chosen]
        if not lanes:
            continue
        found = side_by_side(
            [problems[lane] for lane in lanes],
            method,
            [values[lane] for lane in lanes],
            [times[lane] for lane in lanes],
            [most[lane] for lane in lanes],
        )
        for number, moment in found:
            yield lanes[number], moment
