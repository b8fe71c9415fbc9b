"""One of the two models by itself, once the other has come to its end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from lazycore.config.moments import MODELS, Moment
from lazycore.engine.linear.tangent_lanes import TangentLanes
from lazycore.engine.paths.side_by_side import Lane
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.stacked import Lanes
from lazycore.engine.steppers.chebyshev import Chebyshev
from lazycore.engine.steppers.crossing import excess, located
from lazycore.engine.steppers.pair import Pair, unless_lost
from lazycore.engine.steppers.path import Path

NETWORK, TANGENT = "nonlinear", "linearized"


@dataclass(frozen=True, eq=False)
class End:
    """The end of a lane's first model: when, which (both, if at once), and y = (v, z) then."""

    time: float = np.inf
    met: frozenset[str] = frozenset()
    y: Tensor = field(default_factory=lambda: torch.empty(0))


@dataclass
class State:
    """What a lane has come to: its first loss and the one now, the largest change of its outputs
    and of its coordinates so far, and its smallest y f."""

    initial: float
    loss: float
    change: float
    moved: float
    lowest: float = -np.inf


@dataclass(eq=False)
class Alone:
    """The network's v (s, p), or the tangent coordinates z (s, q) where `tangent` is given.

    A step is judged by the error of the outputs, relative to their largest change so far and
    not below the rounding floor; and by that of the coordinates themselves, as in a pair.

    share: (s,) error allowed per step. known_radius: (s,) bound on the rates of z.
    head: coordinates whose rates are not known: all of a network's, none of z.
    """

    lanes: Lanes
    tangent: TangentLanes | None
    share: np.ndarray
    rounding: np.ndarray
    known_radius: np.ndarray
    head: int
    seen: Sequence[State]
    _tried: Sequence[tuple[float, ...]] = ()

    def select(self, rows: Sequence[int]) -> "Alone":
        """Return some of the lanes; what is seen of them is noted in both."""
        rows = list(rows)
        return replace(
            self,
            lanes=self.lanes.select(torch.tensor(rows, device=self.lanes.alpha.device)),
            tangent=None if self.tangent is None else self.tangent.select(rows),
            share=self.share[rows],
            rounding=self.rounding[rows],
            known_radius=self.known_radius[rows],
            seen=[self.seen[row] for row in rows],
        )

    def first(self, count: int) -> "Alone":
        """Return the gradients of the first lanes, which share their memory."""
        return replace(self, lanes=self.lanes.select(slice(0, count)))

    def gradient(self, y: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return minus the velocity, and the change of the network's outputs."""
        if self.tangent is None:
            return self.lanes.gradient(y)
        return self.tangent.gradient(y), None

    def head_gradient(self, y: Tensor) -> Tensor:
        """Return minus the velocity of v, or nothing of z."""
        return self.lanes.gradient(y)[0] if self.tangent is None else y[:, :0]

    def outputs(self, y: Tensor) -> Tensor:
        """Return the change of the outputs, (s, n, k)."""
        return (self.lanes if self.tangent is None else self.tangent).outputs(y)

    def judge(
        self, y: Tensor, error: Tensor, known: Tensor | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return how much too large each lane's error is, and whether its loss descends."""
        change = self.outputs(y) if known is None else known
        if self.tangent is None:
            wrong = change - self.lanes.outputs(y - error)
        else:
            wrong = self.tangent.outputs(error)
        sizes = [rms(wrong), rms(change)]
        sizes += [self.lanes.losses(change), self.lanes.lowest(change)]
        sizes += [torch.linalg.vector_norm(part, dim=1) for part in (error, y)]
        # The one place where a step waits for the device.
        excess, reached, loss, lowest, missed, reach = torch.stack(sizes).cpu().double().numpy()
        largest = np.fmax([seen.change for seen in self.seen], reached)
        moved = np.array([seen.moved for seen in self.seen])
        far = moved, np.fmax(moved, reach)
        self._tried = [*zip(loss, largest, far[1], lowest, strict=True)]
        with np.errstate(all="ignore"):
            excess = excess / (self.share * largest + self.rounding)
            excess = unless_lost(excess, missed, far, self.rounding / largest)
        before = np.array([[seen.loss, seen.initial] for seen in self.seen]).T
        return excess, loss <= 1.01 * before[0] + self.share * before[1]

    def accept(self, number: int) -> None:
        """Take the step of this lane that was judged last."""
        seen = self.seen[number]
        seen.loss, seen.change, seen.moved, seen.lowest = self._tried[number]


def go_on(
    model: str,
    pair: Pair,
    left: Sequence[int],
    lanes: Sequence[Lane],
    ends: Sequence[End],
    paths: Sequence[Path],
) -> Iterator[tuple[int, Moment]]:
    """Yield the moments of these lanes from the end of their first model on: `model` is left."""
    part = slice(0, pair.head) if model == NETWORK else slice(pair.head, None)
    starts = torch.stack([ends[row].y[part] for row in left])
    system = _system(model, pair, left, starts)
    begun = [paths[row] for row in left]
    stepper = Chebyshev(
        system,
        [
            replace(before, y=y, step=before.width, time=ends[row].time, ended=None, previous=None)
            for row, y, before in zip(left, starts, begun, strict=True)
        ],
    )
    passed = [int(np.searchsorted(lanes[row].times, ends[row].time, "right")) for row in left]
    for i in stepper.steps():
        lane, here, until = lanes[left[i]], stepper.paths[i], None
        if system.seen[i].lowest >= lane.problem.loss.SPEC.facts["margin"]:
            until, here.ended = _end_within(stepper, i, system.select([i]), lane), "met"
        last = here.time if until is None else until
        due: list[tuple[float, float, frozenset[str]]] = []
        while passed[i] < len(lane.times) and lane.times[passed[i]] <= last:
            share = passed[i] / (len(lane.times) - 1)
            due.append((float(lane.times[passed[i]]), share, ends[left[i]].met))
            passed[i] += 1
        if until is not None:
            due.append((until, 1.0, MODELS))
        for time, progress, met in due:
            y = ends[left[i]].y.clone()
            y[part] = stepper.at(i, time)
            v, z = y[: pair.head], lane.tangent.position(lane.number, y[pair.head :])
            yield (
                lane.number,
                Moment(time, progress, v, z, z, lane.error, here.evaluations, met, rounding=0.0),
            )
        if here.ended == "not finite":
            yield lane.number, lane.last_words(here.evaluations)


def _system(model: str, pair: Pair, left: Sequence[int], starts: Tensor) -> Alone:
    """Return this model of these lanes, which goes on from `starts`."""
    some, is_network = pair.select(left), model == NETWORK
    alone = Alone(
        lanes=some.lanes,
        tangent=None if is_network else some.tangent,
        share=some.share,
        rounding=some.rounding,
        known_radius=some.known_radius,
        head=starts.shape[1] if is_network else 0,
        seen=(),
    )
    losses = some.lanes.losses(alone.outputs(starts)).tolist()
    moved = torch.linalg.vector_norm(starts, dim=1).tolist()
    states = zip(some.seen, losses, moved, strict=True)
    return replace(alone, seen=[State(w.initial, loss, w.sizes[0], far) for w, loss, far in states])


def _end_within(stepper: Chebyshev, i: int, one: Alone, lane: Lane) -> float:
    """Return the end of this path's model within its last step."""
    problem, previous = lane.problem, stepper.paths[i].previous
    assert previous is not None

    def excess_at(time: float) -> float:
        outputs = problem.train.start + one.outputs(stepper.at(i, time)[None])[0]
        return excess(outputs, problem.targets, problem.loss.SPEC.facts["margin"])

    return located(excess_at, previous[0], stepper.paths[i].time)
