"""Gradient flow by the explicit Euler rule of Geiger, Spigler, Jacot & Wyart (2020).

    w' = w − Δt ∇F_α(w)  is taken if  max_i |F(w', x_i) − F(w, x_i)| < ε_out
                              and    ‖g − g'‖²/(‖g‖ ‖g'‖) < ε_∇;    F = αh

then Δt grows by 1.1 where both are below half of their bounds; else Δt falls to a tenth and the
step is tried again (arXiv:1906.08034, their code; without momentum). The first Δt is 1 in the
time of that code, α/√m in ours (`lazycore.theory.lazy`). Both models advance on the network's
steps.

Theirs has no smallest step, and hangs where no step is small enough. Here 25 rejections in a row
end the run, with the diagnosis `rounding` where the outputs still move by more than ε_out (float32
at large α) and `kink` where the gradient still jumps. Over the kinks of a network that has them, a
step below 10⁻³ t is taken if ε_out allows it; a run with such steps says `kink` too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lazycore.config.fields import STOP, TIME
from lazycore.config.spec import Field, Spec, Values
from lazycore.theory.lazy import first_step

if TYPE_CHECKING:
    from torch import Tensor

    from lazycore.config.moments import Moment
    from lazycore.engine.linear.tangent import FunctionSpace, ParameterSpace
    from lazycore.engine.paths.euler import Walk
    from lazycore.engine.problem.problem import Problem

COARSENESS = 10.0
"""ε_∇ of the run beside it, over that of the run, and √10 the same of ε_out: whichever bounds them,
its steps are √10 times as long, and an error of first order is as much larger."""

SPEC = Spec(
    name="adaptive_euler",
    meaning="gradient flow by the adaptive Euler rule of Geiger et al. 2020",
    reads=(
        TIME,
        Field(
            name="gradient_tolerance",
            default=1e-2,
            low=1e-10,
            high=0.5,
            log=True,
            meaning="ε_∇, the relative change of the gradient in a step",
        ),
        Field(
            name="output_tolerance",
            default=0.1,
            low=1e-10,
            high=10.0,
            log=True,
            meaning="ε_out, the largest change of an output in a step",
        ),
        STOP,
    ),
    facts={"evaluations": lambda values: None, "gradient_flow": True},
)


def trajectories(
    problems: "Sequence[Problem]",
    values: Sequence[Values],
    records: Sequence[np.ndarray] | None = None,
    limits: Sequence[float] | None = None,
) -> "Iterator[tuple[int, Moment]]":
    """Yield (lane, moment) at recorded times, one lane after another, and where a model ends.

    Between two steps both models are on the line between them, as in Euler's polygon; an end is
    that of a step. The error is the difference of the gap to that of a coarser run beside it,
    which is 2.2 times the error of the run where that is of first order (twice as much again at
    kinks). That one is a twin of the run, so that what rounding comes to is in it. `steps` of a
    moment counts the gradients of the run itself.
    """
    for lane, (problem, value) in enumerate(zip(problems, values, strict=True)):
        record = None if records is None else records[lane]
        limit = np.inf if limits is None else limits[lane]
        for moment in _trajectory(problem, value, record, limit):
            yield lane, moment


def _trajectory(
    problem: "Problem", values: Values, record: np.ndarray | None, limit: float
) -> "Iterator[Moment]":
    from lazycore.config.moments import MODELS, Moment, Position
    from lazycore.engine.linear.tangent import tangent_space
    from lazycore.engine.paths.twins import twin
    from lazycore.engine.problem.norms import rms

    space, times = tangent_space(problem), _times(problem, values) if record is None else record
    moved = twin(problem)
    walk = _walk(problem, space, values, 1.0, limit / 2)
    beside = _walk(moved, space, values, COARSENESS, limit / 2)
    others, error = _states(beside, times), 0.0
    other = next(others, None)
    safety = 1.0 if problem.network.smooth else 2.0
    for state in _states(walk, times):
        while other is not None and (other.number is None or other.number < state.number_before):
            other = next(others, None)
        if other is not None and other.number == state.number and not (state.met or other.met):
            apart = _gap(problem, space, state) - _gap(moved, space, other)
            error = max(error, safety * float(rms(apart)))
        position = Position(space, state.s)
        yield Moment(
            time=state.time,
            progress=1.0 if state.met == MODELS else state.number_before / (len(times) - 1),
            nonlinear=state.v,
            tangent=position,
            exact=position,
            error=error,
            steps=walk.evaluations,
            met=state.met,
            diagnosis=walk.diagnosis,
            rounding=0.0,
        )


def _gap(problem: "Problem", space: "FunctionSpace | ParameterSpace", state: "State") -> "Tensor":
    train = problem.train
    return train.outputs(state.v) - train.start - space.outputs(state.s)


def _times(problem: "Problem", values: Values) -> np.ndarray:
    """Return the recorded times, from well below the first step of the rule where it stops."""
    from lazycore.config.moments import recorded_times, spaced_times
    from lazycore.engine.paths.until_margins import FIRST, PER_DECADE
    from lazycore.engine.steppers.onset import onset

    end = float(values["time"])
    if values.get("stop") != "margins":
        return recorded_times(end)
    return spaced_times(min(FIRST * onset(problem, end), 0.1 * end), end, PER_DECADE)


def _walk(
    problem: "Problem",
    space: "FunctionSpace | ParameterSpace",
    values: Values,
    coarseness: float,
    limit: float,
) -> "Walk":
    from lazycore.engine.paths.euler import Walk, network_mover, tangent_mover
    from lazycore.engine.problem.problem import default_step_size

    width = values.get("width")
    first = first_step(values["alpha"], width) if width else default_step_size(problem)
    return Walk(
        problem=problem,
        movers={"nonlinear": network_mover(problem), "linearized": tangent_mover(space)},
        gradient_tolerance=coarseness * values["gradient_tolerance"],
        output_tolerance=coarseness**0.5 * values["output_tolerance"],
        step=first,
        end=float(values["time"]),
        margin=problem.loss.SPEC.facts["margin"] if values.get("stop") == "margins" else None,
        limit=limit,
    )


@dataclass(frozen=True, eq=False)
class State:
    """Both models at one time: `number` of the recorded time, None at an end between two;
    number_before: that of the last recorded time up to here."""

    number: int | None
    number_before: int
    time: float
    v: "Tensor"
    s: "Tensor"
    met: frozenset[str]


def _states(walk: "Walk", times: np.ndarray) -> Iterator[State]:
    """Yield the states at the recorded times, at the ends of models, and where the walk ends."""
    import torch

    movers, passed = [walk.movers[name] for name in ("nonlinear", "linearized")], 0

    def state(number: int | None, time: float, met: frozenset[str]) -> State:
        share = 1.0 - (walk.time - time) / walk.width if walk.width else 1.0
        v, s = (torch.lerp(mover.before, mover.y, share) for mover in movers)
        return State(number, passed if number is None else number, time, v, s, met)

    met, steps, more = walk.met, walk.steps(), True
    while more:
        while passed < len(times) and times[passed] <= walk.time:
            time = float(times[passed])
            yield state(passed, time, walk.met if time == walk.time else met)
            passed += 1
        if walk.met != met and times[passed - 1] != walk.time:
            yield state(None, walk.time, walk.met)
        met = walk.met
        more = next(steps, False)
    if walk.diagnosis and passed < len(times):
        yield state(None, walk.time, met)
