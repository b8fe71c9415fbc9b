"""Gradient flow w' = −∇F_α(w), both models integrated as one system on the same steps."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lazycore.fields import TIME, TOLERANCE
from lazycore.spec import Spec, Values

if TYPE_CHECKING:
    from lazycore.moments import Moment
    from lazycore.problem import Problem

SPEC = Spec(
    name="flow",
    meaning="gradient flow, integrated adaptively",
    reads=(TIME, TOLERANCE),
    facts={"evaluations": lambda values: None},
)


def trajectory(
    problem: "Problem",
    values: Values,
    record: np.ndarray | None = None,
    limit: int | None = None,
) -> "Iterator[Moment]":
    """Yield both models at about 200 times, with the error of the gap as it is known by then.

    Two integrations go side by side, one at ten times the tolerance (and eight times the
    step floor at kinks) of the other; the difference of their gaps is the error reported,
    twice it at kinks. It is the error of the coarser one; the finer one is shown.

    limit: evaluations of the right side after which the run ends on its budget.
    """
    from lazycore.dynamics._closed_form import closed_form, flow_filters
    from lazycore.dynamics._pair import KINK_SAFETY, integrator
    from lazycore.dynamics._tangent import tangent_space
    from lazycore.moments import Moment, recorded_times
    from lazycore.problem import rms

    times = recorded_times(values["time"]) if record is None else record
    space = tangent_space(problem)
    fine = integrator(space, values["time"], values["tolerance"], coarseness=1.0)
    coarse = integrator(space, values["time"], values["tolerance"], coarseness=10.0)
    solution = closed_form(space)
    exact = (
        None
        if solution is None
        else solution.coordinates(flow_filters(solution.eigenvalues, times))
    )
    allowed = float("inf") if limit is None else limit / 2
    safety = 1.0 if problem.network.smooth else KINK_SAFETY
    p, error = problem.w0.numel(), 0.0
    for number, time in enumerate(times):
        try:
            state = fine.advance(float(time), allowed)
            check = coarse.advance(float(time), allowed)
        except FloatingPointError:
            yield Moment(float(time), 1.0, None, None, None, error, fine.evaluations)
            return
        if state is None or check is None:
            return
        gaps = [problem.train.outputs(y[:p]) - space.outputs(y[p:]) for y in (state, check)]
        error = max(error, safety * rms(gaps[0] - gaps[1]))
        paired = space.parameters(state[p:])
        yield Moment(
            time=float(time),
            progress=float(time) / values["time"],
            nonlinear=state[:p],
            paired=paired,
            linearized=paired if exact is None else space.parameters(exact[number]),
            error=error,
            steps=fine.evaluations,
        )
