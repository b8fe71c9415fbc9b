"""Full-batch gradient descent: w ← w − η ∇F_α(w), both models with the same η."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from lazycore.fields import MOMENTUM, STEP_SIZE, STEPS
from lazycore.spec import Spec, Values

if TYPE_CHECKING:
    from lazycore.moments import Moment
    from lazycore.problem import Problem

SPEC = Spec(
    name="gd",
    meaning="full-batch gradient descent with a fixed step",
    reads=(STEPS, STEP_SIZE, MOMENTUM),
    facts={"evaluations": lambda values: values["steps"]},
)


def trajectory(
    problem: "Problem",
    values: Values,
    record: np.ndarray | None = None,
    limit: int | None = None,
) -> "Iterator[Moment]":
    """Yield both models at about 200 steps; the linearised one in closed form if it has one.

    The iteration is the object itself, so its error is rounding alone.
    """
    from lazycore.dynamics._descent import network_descent, tangent_positions
    from lazycore.dynamics._tangent import tangent_space
    from lazycore.moments import Moment, recorded_steps

    eta = values["step_size"]
    steps = recorded_steps(values["steps"]) if record is None else record
    space = tangent_space(problem)
    network = network_descent(problem, eta, values["momentum"])
    positions = tangent_positions(space, eta, values["momentum"], steps)
    done = 0
    for step, s in zip(steps, positions, strict=True):
        for _ in range(int(step) - done):
            network.step()
        done = int(step)
        tangent = space.parameters(s)
        yield Moment(
            time=done * eta,
            progress=done / values["steps"],
            nonlinear=network.position,
            paired=tangent,
            linearized=tangent,
            steps=done,
        )
