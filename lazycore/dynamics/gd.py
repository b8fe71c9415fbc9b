"""Full-batch gradient descent: w ← w − η ∇F_α(w), both models with the same η."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lazycore.fields import MOMENTUM, STEP_SIZE, STEPS, STOP
from lazycore.spec import Spec, Values

if TYPE_CHECKING:
    from lazycore.moments import Moment
    from lazycore.problem import Problem

SPEC = Spec(
    name="gd",
    meaning="full-batch gradient descent with a fixed step",
    reads=(STEPS, STEP_SIZE, MOMENTUM, STOP),
    facts={"evaluations": lambda values: values["steps"]},
)


def trajectories(
    problems: "Sequence[Problem]",
    values: Sequence[Values],
    records: Sequence[np.ndarray] | None = None,
    limits: Sequence[int] | None = None,
) -> "Iterator[tuple[int, Moment]]":
    """Yield (lane, moment) at about 200 steps, the same for all lanes; the linearised models
    in closed form if they have one.

    The iteration is the object itself, so its error is rounding alone.
    """
    from lazycore.dynamics._descent import NetworkDescent, tangent_positions
    from lazycore.dynamics._margin_descent import until_margins
    from lazycore.dynamics._tangent import tangent_space
    from lazycore.moments import Moment, Position, recorded_steps
    from lazycore.stacked import stack

    steps = recorded_steps(values[0]["steps"]) if records is None else records[0]
    if values[0].get("stop") == "margins":
        yield from until_margins(problems, values, steps)
        return
    etas, momenta = [v["step_size"] for v in values], [v["momentum"] for v in values]
    spaces = [tangent_space(problem) for problem in problems]
    tangents = [
        tangent_positions(space, eta, momentum, steps)
        for space, eta, momentum in zip(spaces, etas, momenta, strict=True)
    ]
    networks = NetworkDescent(stack(problems), problems[0].w0, etas, momenta)
    done = 0
    for step in steps:
        for _ in range(int(step) - done):
            networks.step()
        done = int(step)
        for lane, space in enumerate(spaces):
            tangent = Position(space, next(tangents[lane]))
            yield (
                lane,
                Moment(
                    time=done * etas[lane],
                    progress=done / values[lane]["steps"],
                    nonlinear=networks.position[lane].clone(),
                    tangent=tangent,
                    exact=tangent,
                    steps=done,
                ),
            )
