"""Each pair twice, at two tolerances: the finer one is the run, the difference its error.

The coarser one is of the run's twin (`_twins`), so that what rounding comes to is in it too.
"""

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from lazycore.config.moments import Moment, Position, has_waited
from lazycore.config.spec import Values
from lazycore.engine.linear.closed_form import ClosedForm, OutputForm, closed_form, flow_filters
from lazycore.engine.linear.tangent import FunctionSpace, ParameterSpace, tangent_space
from lazycore.engine.linear.tangent_lanes import TangentLanes, tangent_lanes
from lazycore.engine.paths.twins import twin
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.pace import longest_wait, states_at_once
from lazycore.engine.problem.problem import Problem
from lazycore.engine.problem.stacked import stack
from lazycore.engine.steppers.chebyshev import Chebyshev
from lazycore.engine.steppers.handover import Handover
from lazycore.engine.steppers.onset import onset
from lazycore.engine.steppers.pair import KINK_SAFETY, Pair, curvature, path
from lazycore.engine.steppers.path import Advancing

COARSENESS = 10.0
LARGEST_MODES = 1500
"""Coordinates up to which the decomposition costs less than stepping without it."""


def side_by_side(
    problems: Sequence[Problem],
    method: type[Chebyshev | Handover],
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
    twins = [twin(problem) for problem in problems]
    both = [*range(s), *range(s)]
    coarseness = np.repeat([1.0, COARSENESS], s)
    share = [method.local_share * values[lane]["tolerance"] for lane in both]
    pair = Pair(
        stack([*problems, *twins]),
        tangent.select(both),
        share=np.array(share) * coarseness,
        rounding=np.array([problems[lane].rounding_floor for lane in both]),
        known_radius=np.array([curvature(problems[lane]) for lane in both]),
        head=p,
    )
    onsets = [
        onset(p, float(v["time"])) if p.network.smooth else None
        for p, v in zip(problems, values, strict=True)
    ]
    paths = [
        path(
            problems[l],
            tangent.size,
            end=float(values[l]["time"]),
            tolerance=values[l]["tolerance"],
            coarseness=c,
            quickest=onsets[l],
            # Both at the limit of growth would take the same steps, and be one path.
            longer=c**0.3,
            limit=limits[l] / 2,
        )
        for l, c in zip(both, coarseness, strict=True)
    ]
    exact = [
        None if f is None else f.coordinates(flow_filters(f.eigenvalues, t))
        for f, t in zip(solutions, times, strict=True)
    ]
    stepper = method(pair, paths)
    found = [Lane(problems[l], twins[l], tangent, l, times[l]) for l in range(s)]
    for row in itertools.chain(at_rest(s), stepper.steps()):
        lane, fine = found[row % s], paths[row % s]
        for passed in lane.pass_by(stepper, row, is_fine=row < s):
            here = tangent.position(lane.number, passed.state[p:])
            shown = exact[lane.number]
            if shown is not None:
                shown = Position(spaces[lane.number], shown[passed.number])
            moment = Moment(
                time=passed.time,
                progress=passed.time / fine.end,
                nonlinear=passed.state[:p],
                tangent=here,
                exact=shown or here,
                error=lane.error,
                steps=passed.steps,
                rounding=0.0,
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


@dataclass(frozen=True, eq=False)
class Passed:
    """A state on the way of one path: number of the recorded time, the time, evaluations so far."""

    number: int
    time: float
    steps: int
    state: Tensor


@dataclass(eq=False)
class Lane:
    """One run: what its two paths have passed, and the error that follows.

    The gaps of several states are formed at once, so that the kernel passes through memory once:
    the coarser path runs ahead and may wait for a full block, the finer one is to be seen growing.
    twin: what the coarser path is of. ended: whether nothing waits any longer, for there may be
    nothing more to wait for.
    """

    problem: Problem
    twin: Problem
    tangent: TangentLanes
    number: int
    times: np.ndarray
    error: float = 0.0
    broken: bool = False
    ended: bool = False
    passed: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})
    waiting: deque[Passed] = field(default_factory=deque)
    ahead: dict[int, Tensor] = field(default_factory=dict)
    gaps: dict[int, Tensor] = field(default_factory=dict)
    coarse_end: Tensor | None = None

    def __post_init__(self) -> None:
        self._at_once = states_at_once(self.problem)
        self._patience = longest_wait(self.problem)
        self._safety = 1.0 if self.problem.network.smooth else KINK_SAFETY

    def pass_by(
        self, stepper: Advancing, row: int, is_fine: bool, until: float | None = None
    ) -> Iterator[Passed]:
        """Yield each recorded time that both paths have passed, a few together.

        until: where this path has ended within its step; of the finer one that is a time too,
        and what the gaps of both have come to at their ends is compared.
        """
        path = stepper.paths[row]
        self.ended |= path.ended is not None and (is_fine or path.ended != "end")
        time = path.time if until is None else until
        while (number := self.passed[is_fine]) < len(self.times) and self.times[number] <= time:
            self.passed[is_fine] += 1
            passed = float(self.times[number])
            if is_fine:
                here = stepper.at(row, passed)
                self.waiting.append(Passed(number, passed, path.evaluations, here))
                # As they come: the states of a large network at many times fill the memory.
                yield from self._settled()
            else:
                self.ahead[number] = stepper.at(row, passed)
                if len(self.ahead) >= self._at_once:
                    self._form_gaps_ahead()
        if until is not None and is_fine:
            here = stepper.at(row, until)
            self.waiting.append(Passed(self.passed[True], until, path.evaluations, here))
        elif until is not None:
            self.passed[False] = len(self.times) + 1
            (self.coarse_end,) = self._gaps(self.twin, [stepper.at(row, until)])
        yield from self._settled()

    def last_words(self, steps: int) -> Moment:
        """Return the moment of a flow that could not be followed beyond the last one."""
        number = min(self.passed[True], len(self.times) - 1)
        return Moment(
            float(self.times[number]), 1.0, None, None, None, self.error, steps, rounding=0.0
        )

    def _settled(self) -> Iterator[Passed]:
        """Yield what both paths have passed, if there is enough of it or it has waited enough."""
        while not self.broken and (known := self._known()):
            if not (self.ended or has_waited(known, self._at_once, self._patience)):
                return
            self._form_gaps_ahead()
            gaps = [(passed, self._beside(passed)) for passed in known]
            pairs = [(passed, gap) for passed, gap in gaps if gap is not None]
            fine = self._gaps(self.problem, [passed.state for passed, _ in pairs])
            apart = {
                passed: self._safety * float(rms(gap - beside))
                for (passed, beside), gap in zip(pairs, fine, strict=True)
            }
            for passed in known:
                self.waiting.popleft()
                self.error = max(self.error, apart.get(passed, 0.0))
                yield passed

    def _known(self) -> list[Passed]:
        """Return those that both paths have passed, as many as are looked at together."""
        some = itertools.islice(self.waiting, self._at_once)
        return [passed for passed in some if passed.number < self.passed[False]]

    def _beside(self, passed: Passed) -> Tensor | None:
        """Return the coarser path's gap at the same time, or at its end."""
        is_recorded = passed.number < len(self.times) and self.times[passed.number] == passed.time
        return self.gaps.pop(passed.number, None) if is_recorded else self.coarse_end

    def _form_gaps_ahead(self) -> None:
        gaps = self._gaps(self.twin, [*self.ahead.values()])
        self.gaps |= zip(self.ahead, gaps, strict=True)
        self.ahead.clear()

    def _gaps(self, problem: Problem, states: Sequence[Tensor]) -> list[Tensor]:
        """Return what the outputs of both models are apart, (n, k) each."""
        if not states:
            return []
        y, p = torch.stack([*states]), problem.w0.numel()
        tangent = self.tangent.select([self.number] * len(y)).outputs(y[:, p:])
        return [*(problem.train.changes(y[:, :p]) - tangent)]
