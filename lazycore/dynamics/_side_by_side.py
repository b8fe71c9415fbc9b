"""Each pair twice, at two tolerances: the finer one is the run, the difference its error."""

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from lazycore.dynamics._closed_form import ClosedForm, OutputForm, closed_form, flow_filters
from lazycore.dynamics._pair import KINK_SAFETY, LOCAL_SHARE, Pair, curvature, path
from lazycore.dynamics._paths import Stepper
from lazycore.dynamics._tangent import FunctionSpace, ParameterSpace, tangent_space
from lazycore.dynamics._tangent_lanes import TangentLanes, tangent_lanes
from lazycore.lanes.stacked import stack
from lazycore.moments import Moment, Position
from lazycore.problem import Problem, rms
from lazycore.spec import Values

COARSENESS = 10.0
LARGEST_MODES = 1500
"""Coordinates up to which the decomposition costs less than stepping without it."""

COMPARED = 4
"""The gaps of the two are compared at every fourth recorded time, and at the last: at every one
where there are kinks, for what random errors come to is easily missed (LOG.md, 2026-11-21)."""


def side_by_side(
    problems: Sequence[Problem],
    method: type[Stepper],
    values: Sequence[Values],
    times: Sequence[np.ndarray],
    limits: Sequence[float],
) -> Iterator[tuple[int, Moment]]:
    """Yield (lane, moment) of gradient flow as the paths pass the recorded times.

    A lane's moment waits until both of its paths have passed it.
    """
    spaces = [tangent_space(problem) for problem in problems]
    solutions = [_solution(space, when) for space, when in zip(spaces, times, strict=True)]
    tangent = tangent_lanes(spaces, solutions)
    s, p = len(problems), problems[0].w0.numel()
    both = [*range(s), *range(s)]
    coarseness = np.repeat([1.0, COARSENESS], s)
    share = [LOCAL_SHARE[method] * values[lane]["tolerance"] for lane in both]
    pair = Pair(
        stack(problems).select(torch.tensor(both, device=problems[0].w0.device)),
        tangent.select(both),
        share=np.array(share) * coarseness,
        rounding=np.array([problems[lane].rounding_floor for lane in both]),
        known_radius=np.array([curvature(problems[lane]) for lane in both]),
        head=p,
    )
    paths = [
        path(
            problems[l],
            method,
            tangent.size,
            end=float(values[l]["time"]),
            tolerance=values[l]["tolerance"],
            coarseness=c,
            limit=limits[l] / 2,
        )
        for l, c in zip(both, coarseness, strict=True)
    ]
    exact = [
        None if f is None else f.coordinates(flow_filters(f.eigenvalues, t))
        for f, t in zip(solutions, times, strict=True)
    ]
    stepper = method(pair, paths)
    found = [Lane(problems[l], tangent, l, times[l]) for l in range(s)]
    for row in itertools.chain(at_rest(s), stepper.steps()):
        lane, fine = found[row % s], paths[row % s]
        for number, time, state in lane.pass_by(stepper, row, is_fine=row < s):
            here = tangent.position(lane.number, state[p:])
            shown = exact[lane.number]
            moment = Moment(
                time=time,
                progress=time / fine.end,
                nonlinear=state[:p],
                tangent=here,
                exact=here if shown is None else Position(spaces[lane.number], shown[number]),
                error=lane.error,
                steps=fine.evaluations,
            )
            yield lane.number, moment
        if "not finite" in (fine.ended, paths[lane.number + s].ended) and not lane.broken:
            lane.broken = True
            yield lane.number, lane.last_words(fine.evaluations)


def at_rest(lanes: int) -> range:
    """Return the rows of all paths, coarse ones first: at time 0 each has passed the first."""
    return range(2 * lanes - 1, -1, -1)


def _solution(
    space: FunctionSpace | ParameterSpace, times: np.ndarray
) -> ClosedForm | OutputForm | None:
    """Return the linearised model at all times: by its modes where they are cheap, since the
    pair is stepped in them too."""
    if space.size <= LARGEST_MODES:
        return closed_form(space)
    return closed_form(space, lambda eigenvalues: flow_filters(eigenvalues, times))


@dataclass(eq=False)
class Lane:
    """One run: what its two paths have passed, and the error that follows."""

    problem: Problem
    tangent: TangentLanes
    number: int
    times: np.ndarray
    error: float = 0.0
    broken: bool = False
    passed: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    waiting: deque[tuple[int, float, Tensor]] = field(default_factory=deque)
    gaps: dict[int, Tensor] = field(default_factory=dict)
    coarse_end: Tensor | None = None

    def pass_by(
        self, stepper: Stepper, row: int, is_fine: bool, until: float | None = None
    ) -> Iterator[tuple[int, float, Tensor]]:
        """Yield number, time and state of each recorded time that both paths have passed by now.

        until: where this path has ended within its step; of the finer one that is a time too,
        and what the gaps of both have come to at their ends is compared.
        """
        time = stepper.paths[row].time if until is None else until
        while (number := self.passed[is_fine]) < len(self.times) and self.times[number] <= time:
            self.passed[is_fine] += 1
            passed = float(self.times[number])
            if is_fine:
                self.waiting.append((number, passed, stepper.at(row, passed)))
                # One at a time: the states of a large network at many times fill the memory.
                yield from self._settled()
            elif self._is_compared(number):
                self.gaps[number] = self._gap(stepper.at(row, passed))
        if until is not None and is_fine:
            self.waiting.append((self.passed[True], until, stepper.at(row, until)))
        elif until is not None:
            self.passed[False] = len(self.times) + 1
            self.coarse_end = self._gap(stepper.at(row, until))
        yield from self._settled()

    def _is_compared(self, number: int) -> bool:
        often = not self.problem.network.smooth or number % COMPARED == 0
        return often or number == len(self.times) - 1

    def last_words(self, steps: int) -> Moment:
        """Return the moment of a flow that could not be followed beyond the last one."""
        number = min(self.passed[True], len(self.times) - 1)
        return Moment(float(self.times[number]), 1.0, None, None, None, self.error, steps)

    def _settled(self) -> Iterator[tuple[int, float, Tensor]]:
        while self.waiting and self.waiting[0][0] < self.passed[False] and not self.broken:
            number, time, state = self.waiting.popleft()
            is_recorded = number < len(self.times) and self.times[number] == time
            beside = self.gaps.pop(number, None) if is_recorded else self.coarse_end
            if beside is not None:
                safety = 1.0 if self.problem.network.smooth else KINK_SAFETY
                self.error = max(self.error, safety * rms(self._gap(state) - beside))
            yield number, time, state

    def _gap(self, state: Tensor) -> Tensor:
        train, p = self.problem.train, self.problem.w0.numel()
        tangent = self.tangent.select([self.number]).outputs(state[None, p:])[0]
        return train.outputs(state[:p]) - train.start - tangent
