"""A batch of lanes, from their configs to their results: they advance together."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from lazycore.config import spec
from lazycore.config.cost import DEFAULT, Budget, estimate
from lazycore.config.moments import Moment, is_due
from lazycore.config.run import RunConfig
from lazycore.engine.measures.recording import Recorder, choose_scales, recorder
from lazycore.engine.problem.data import Data, load
from lazycore.engine.problem.problem import Problem, build_problem
from lazycore.results.run import RunResult, Snapshot

DATA = ("data_seed", "noise")
NETWORK = (*DATA, "init_seed", "init_scale")  # the scale last: it may be all that differs
FREE = (*NETWORK, "alpha", "seed", "batch_seed", "step_size", "time", "tolerance")
"""Fields in which lanes may differ: those that choose the data, the network, and all of them."""

MOST_DECADES = 50
"""By which τ^L may differ from 1 where networks of degree L share a kernel: its square, which goes
with the kernel, must neither overflow nor vanish."""


class Lane:
    """One run: its config, its fields, and the evaluations that an adaptive one may take.

    budget: what the run may cost; None lifts the limit.
    """

    def __init__(self, config: RunConfig, budget: Budget | None = DEFAULT) -> None:
        self.config, self.budget = config, budget
        self.limit = budget.evaluations_of(estimate(config)) if budget else math.inf
        self.values: dict[str, Any] = config.resolve().to_dict()

    @property
    def shape(self) -> tuple:
        """What lanes that advance together have in common."""
        return tuple(value for name, value in self.values.items() if name not in FREE)

    def key(self, names: Sequence[str]) -> tuple:
        """Return the values of these fields."""
        return tuple(self.values[name] for name in names)


class Batches:
    """Advances batches on one device. Data, networks and kernels are made once for those that
    follow each other, and one kernel for networks that are multiples of each other; what the next
    one does not share with the last is let go.

    stopped: asked at every recorded time; once it is true, what has not ended is given up.
    """

    def __init__(self, device: torch.device, stopped: Callable[[], bool] = lambda: False) -> None:
        self.device, self._stopped = device, stopped
        self._data: dict[tuple, Data] = {}
        self._problems: dict[tuple, Problem] = {}

    def advance(self, lanes: Sequence[Lane]) -> Iterator[tuple[int, RunResult]]:
        """Yield (place in the batch, result) of each lane as it ends."""
        values = [lane.values for lane in lanes]
        problems = self._shared(lanes)
        scales = [choose_scales(p, v) for p, v in zip(problems, values, strict=True)]
        recorders = [
            recorder(problem, value, scale, str(self.device))
            for problem, value, scale in zip(problems, values, scales, strict=True)
        ]
        moments = spec.find("dynamics", values[0]["dynamics"]).trajectories(
            problems,
            [value | scale for value, scale in zip(values, scales, strict=True)],
            limits=[lane.limit for lane in lanes],
        )
        streams = _Streams(recorders)
        for number, moment in moments:
            if self._stopped():
                return
            found = streams.take(number, moment)
            if found is not None:
                yield number, RunResult.collect(lanes[number].config, found)
            if not streams.open:
                return
        for number in sorted(streams.open):
            yield number, RunResult.collect(lanes[number].config, streams.rest(number))

    def _shared(self, lanes: Sequence[Lane]) -> list[Problem]:
        """Return the lanes' problems."""
        before, self._problems = self._problems, {}
        data_before, self._data = self._data, {}
        for lane in lanes:
            shape = lane.shape
            network, data = (shape, lane.key(NETWORK)), (shape, lane.key(DATA))
            if data not in self._data:
                self._data[data] = data_before.get(data) or load(lane.values, self.device)
            if network not in self._problems:
                self._problems[network] = before.get(network) or self._built(lane, before)
        return [
            self._problems[lane.shape, lane.key(NETWORK)].rescaled(lane.values["alpha"])
            for lane in lanes
        ]

    def _built(self, lane: Lane, before: dict[tuple, Problem]) -> Problem:
        """Return this lane's problem, tied to one whose weights are a multiple of its own."""
        problem = build_problem(lane.values, self.device, self._data[lane.shape, lane.key(DATA)])
        *direction, init_scale = lane.key(NETWORK)
        if problem.network.degree is None or problem.w0.dtype != torch.float64:
            return problem
        for (shape, (*other, scale)), base in (self._problems | before).items():
            decades = problem.network.degree * max(abs(math.log10(t)) for t in (scale, init_scale))
            if shape == lane.shape and other == direction and decades < MOST_DECADES:
                return problem.tied(base, init_scale / scale)
        return problem


class _Streams:
    """The moments of several lanes as they come, each measured a few at a time."""

    def __init__(self, recorders: Sequence[Recorder]) -> None:
        self.recorders = recorders
        self.open = set(range(len(recorders)))
        self._waiting: list[list[Moment]] = [[] for _ in recorders]
        self._taken: list[list[Snapshot]] = [[] for _ in recorders]

    def take(self, number: int, moment: Moment) -> list[Snapshot] | None:
        """Take note of a lane's next moment; return all its snapshots once it has ended."""
        if number not in self.open:
            return None
        waiting, recorder = self._waiting[number], self.recorders[number]
        waiting.append(moment)
        if is_due(waiting, recorder.block, recorder.patience):
            self._taken[number] += recorder.take(waiting)
            waiting.clear()
        ended = recorder.over or (moment.progress >= 1.0 and not waiting)
        return self.rest(number) if ended else None

    def rest(self, number: int) -> list[Snapshot]:
        """End this lane and return all its snapshots."""
        self.open.discard(number)
        if self._waiting[number]:
            self._taken[number] += self.recorders[number].take(self._waiting[number])
        return self._taken[number]
