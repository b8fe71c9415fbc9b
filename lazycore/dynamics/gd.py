"""Full-batch gradient descent: w ← w − η ∇F_α(w), both models with the same η."""

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np

from lazycore.config import refreshing, spec
from lazycore.config.cost import LARGEST_KERNEL
from lazycore.config.fields import MOMENTUM, STEP_SIZE, STEPS, STOP
from lazycore.config.spec import Spec, Values
from lazycore.errors import ConfigError

if TYPE_CHECKING:
    from lazycore.config.moments import Moment
    from lazycore.engine.problem.problem import Problem


def _check(values: Values) -> None:
    refreshing.check(values)
    if values.get("refresh_solver") != "levenberg_marquardt":
        return
    if values["momentum"]:
        raise ConfigError(
            f"momentum={values['momentum']:g} is not allowed with "
            "refresh_solver=levenberg_marquardt, which takes no steps: give 0."
        )
    outputs = values["n_train"] * spec.output_count(values)
    if outputs > LARGEST_KERNEL:
        raise ConfigError(
            f"refresh_solver=levenberg_marquardt is not allowed for {outputs:,} training outputs: "
            f"lower n_train={values['n_train']} until there are at most {LARGEST_KERNEL:,}."
        )


SPEC = Spec(
    name="gd",
    meaning="full-batch gradient descent with a fixed step",
    reads=(
        *(STEPS, STEP_SIZE, MOMENTUM, STOP),
        *(refreshing.REFRESH_EVERY, refreshing.REFRESH_SOLVER),
        *(refreshing.REFRESH_SCHEDULE, refreshing.REFRESH_CAP),
    ),
    check=_check,
    facts={"evaluations": lambda values: values["steps"]},
)


def trajectories(
    problems: "Sequence[Problem]",
    values: Sequence[Values],
    records: Sequence[np.ndarray] | None = None,
    limits: Sequence[float] | None = None,
) -> "Iterator[tuple[int, Moment]]":
    """Yield (lane, moment) at about 200 steps, the same for all lanes; the linearised models
    in closed form if they have one, and beside them, where it is asked for, the path of
    iterative linearisation, each lane's for itself.

    The iteration is the object itself, so its error is rounding alone: what comes of that is seen
    on twins of each run (`_twins`).
    """
    from lazycore.config.moments import Moment, Position, recorded_steps
    from lazycore.engine.linear.tangent import tangent_space
    from lazycore.engine.paths.descent import NetworkDescent, tangent_positions
    from lazycore.engine.paths.margin_descent import until_margins
    from lazycore.engine.paths.twins import Twins, tangent_twin
    from lazycore.engine.problem.stacked import stack
    from lazycore.engine.refreshed.epochs import refreshed_path

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
    refreshed = [
        refreshed_path(problem, value, steps) if value.get("refresh_every") else repeat(None)
        for problem, value in zip(problems, values, strict=True)
    ]
    networks = NetworkDescent(stack(problems), problems[0].w0, etas, momenta)
    twins = Twins(problems, values)
    beside = [tangent_twin(problem, v, steps) for problem, v in zip(problems, values, strict=True)]
    done = 0
    for step in steps:
        networks.advance(int(step) - done)
        twins.advance(int(step) - done)
        done = int(step)
        spreads = twins.spreads(networks.lanes.outputs(networks.position))
        for lane, space in enumerate(spaces):
            tangent = Position(space, next(tangents[lane]))
            spreads[lane].note_tangent(tangent, next(beside[lane]))
            yield (
                lane,
                Moment(
                    time=done * etas[lane],
                    progress=done / values[lane]["steps"],
                    nonlinear=networks.position[lane].clone(),
                    tangent=tangent,
                    exact=tangent,
                    steps=done,
                    refreshed=next(refreshed[lane]),
                    rounding=spreads[lane].largest,
                ),
            )
