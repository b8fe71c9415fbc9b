"""Gradient flow of both models up to the times at which each has met its margins.

Both advance together, twice, as in `_side_by_side`, until the first of them is at its end, which
is found within the step. The other one then goes on by itself (`_alone`): the rates of a network
that has learned features can be 10⁵ times those of its linearisation, which it must not hold up.
Where features are learned before anything else happens, there are at first no fast modes for the
stabilised method to gain by (docs/log/flow.md, 2026-11-22); where the network is lazy, it is
followed along its linearisation (`_tangent_steps`).
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from lazycore.config.moments import MODELS, Moment, spaced_times
from lazycore.config.spec import Values
from lazycore.engine.linear.tangent import TangentSpace, tangent_space
from lazycore.engine.linear.tangent_lanes import tangent_lanes
from lazycore.engine.paths.alone import NETWORK, TANGENT, End, go_on
from lazycore.engine.paths.side_by_side import COARSENESS, Lane, at_rest
from lazycore.engine.paths.twins import twin
from lazycore.engine.problem.problem import Problem
from lazycore.engine.problem.stacked import stack
from lazycore.engine.steppers.chebyshev import Chebyshev
from lazycore.engine.steppers.crossing import excess, located
from lazycore.engine.steppers.handover import Handover, Lazy, Sharpening
from lazycore.engine.steppers.onset import onset
from lazycore.engine.steppers.pair import Pair, curvature, natural_time, path
from lazycore.engine.steppers.path import Advancing
from lazycore.engine.steppers.tangent_steps import pays

PER_DECADE = 20
"""Recorded times in each factor of ten."""

FIRST = 0.1
"""The first recorded time, in units of the network's onset."""


def until_margins(
    problems: Sequence[Problem],
    values: Sequence[Values],
    records: Sequence[np.ndarray] | None,
    limits: Sequence[float],
) -> Iterator[tuple[int, Moment]]:
    """Yield (lane, moment) at the recorded times and at the end of each model.

    A lane's moment waits until both of its paths have passed it, or have ended.
    """
    ends = [float(value["time"]) for value in values]
    units = [onset(p, end) for p, end in zip(problems, ends, strict=True)]
    times = records or [
        spaced_times(min(FIRST * unit, 0.1 * end), end, PER_DECADE)
        for unit, end in zip(units, ends, strict=True)
    ]
    spaces = [tangent_space(problem) for problem in problems]
    chosen = [_method(*one) for one in zip(spaces, units, ends, strict=True)]
    for method in (Sharpening, Lazy, Chebyshev):
        rows = [row for row in range(len(problems)) if chosen[row] is method]
        if rows:
            lanes = [(spaces[row], values[row], times[row]) for row in rows]
            bounds = [(units[row], limits[row]) for row in rows]
            for number, moment in _of_one_method(method, lanes, bounds):
                yield rows[number], moment


def _method(space: TangentSpace, unit: float, end: float) -> type[Chebyshev | Handover]:
    if unit < natural_time(space.problem, end):
        return Sharpening
    return Lazy if pays(space) else Chebyshev


def _of_one_method(
    method: type[Chebyshev | Handover],
    given: Sequence[tuple[TangentSpace, Values, np.ndarray]],
    bounds: Sequence[tuple[float, float]],
) -> Iterator[tuple[int, Moment]]:
    """Yield the moments of lanes (space, fields, times); bounds: shortest time, evaluations."""
    problems = [space.problem for space, _, _ in given]
    s, p = len(problems), problems[0].w0.numel()
    tangent = tangent_lanes([space for space, _, _ in given], [None] * s)
    twins = [twin(problem) for problem in problems]
    both = [*range(s), *range(s)]
    coarseness = np.repeat([1.0, COARSENESS], s)
    tolerances = np.array([given[lane][1]["tolerance"] for lane in both])
    pair = Pair(
        stack([*problems, *twins]),
        tangent.select(both),
        share=method.local_share * tolerances * coarseness,
        rounding=np.array([problems[lane].rounding_floor for lane in both]),
        known_radius=np.array([curvature(problems[lane]) for lane in both]),
        head=p,
        watched=True,
    )
    paths = [
        path(
            problems[lane],
            tangent.size,
            end=float(given[lane][1]["time"]),
            tolerance=tolerance,
            coarseness=c,
            limit=bounds[lane][1] / 2,
            unit=bounds[lane][0],
        )
        for lane, tolerance, c in zip(both, tolerances, coarseness, strict=True)
    ]
    for lane, one in zip(both, paths, strict=True):
        one.damped = problems[lane].network.smooth
    lanes = [Lane(problems[i], twins[i], tangent, i, given[i][2]) for i in range(s)]
    ends = [End() for _ in problems]
    yield from _together(method(pair, paths), pair, lanes, ends)
    # The stabilised method goes on alone: what a step of it may have is no more than its own share.
    pair.share = pair.share * min(1.0, Chebyshev.local_share / method.local_share)
    for model in (NETWORK, TANGENT):
        left = [row for row in range(s) if ends[row].met and model not in ends[row].met]
        if left:
            yield from go_on(model, pair, left, lanes, ends, paths)


def _together(
    stepper: Advancing, pair: Pair, lanes: Sequence[Lane], ends: list[End]
) -> Iterator[tuple[int, Moment]]:
    """Yield the moments up to the end of the first model of each lane, and note that end."""
    s, p = len(lanes), pair.head
    for row in itertools.chain(at_rest(s), stepper.steps()):
        lane, here, until = lanes[row % s], stepper.paths[row], None
        fine, coarse = stepper.paths[row % s], stepper.paths[row % s + s]
        if max(pair.seen[row].lowest) >= lane.problem.loss.SPEC.facts["margin"]:
            end = _first_end(stepper, row, pair, lane, lane.problem if row < s else lane.twin)
            until, here.ended = end.time, "met"
            if row < s:
                ends[row] = end
        for passed in lane.pass_by(stepper, row, row < s, until):
            position = lane.tangent.position(lane.number, passed.state[p:])
            end = ends[lane.number]
            met = end.met if passed.time == end.time else frozenset()
            moment = Moment(
                time=passed.time,
                progress=1.0 if met == MODELS else passed.number / (len(lane.times) - 1),
                nonlinear=passed.state[:p],
                tangent=position,
                exact=position,
                error=lane.error,
                steps=passed.steps,
                met=met,
                rounding=0.0,
            )
            yield lane.number, moment
        if "not finite" in (fine.ended, coarse.ended) and not lane.broken:
            lane.broken = True
            yield lane.number, lane.last_words(fine.evaluations)


def _first_end(stepper: Advancing, row: int, pair: Pair, lane: Lane, problem: Problem) -> End:
    """Return the first end of a model within the last step of this path, which is of `problem`."""
    p, here = pair.head, stepper.paths[row]
    train, tangent = problem.train, lane.tangent.select([lane.number])
    margin = problem.loss.SPEC.facts["margin"]
    assert here.previous is not None

    def excess_of(model: str, time: float) -> float:
        state = stepper.at(row, time)
        if model == NETWORK:
            return excess(train.outputs(state[:p]), problem.targets, margin)
        return excess(train.start + tangent.outputs(state[None, p:])[0], problem.targets, margin)

    found = {
        model: located(lambda t, model=model: excess_of(model, t), here.previous[0], here.time)
        for model, lowest in zip((NETWORK, TANGENT), pair.seen[row].lowest, strict=True)
        if lowest >= margin
    }
    time = min(found.values())
    met = [model for model, when in found.items() if when == time]
    return End(time, frozenset(met), stepper.at(row, time).clone())
