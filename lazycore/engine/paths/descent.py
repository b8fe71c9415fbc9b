"""Steps of gradient descent: of the networks, and of a tangent model where it must step."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lazycore.engine.features.products import Products
from lazycore.engine.linear.closed_form import closed_form, descent_filters, momentum_filters
from lazycore.engine.linear.tangent import TangentSpace, gradient
from lazycore.engine.paths.replayed import replayed
from lazycore.engine.problem.problem import Points, Problem
from lazycore.engine.problem.stacked import Lanes
from lazycore.machine.once import once

WORTH_RECORDING = 20
"""Steps at once from which on a GPU is given them as recorded ones: recording takes as long."""


@dataclass
class Descent:
    """One model under v ← μv + g, w ← w − ηv; `position` moves in place.

    step_size: η, one for all weights or one for each.
    """

    gradient: Callable[..., Tensor]
    position: Tensor
    step_size: float | Tensor
    momentum: float
    velocity: Tensor | None = None

    def step(self, *arguments: Any) -> None:
        """Take one step; `arguments` (a batch) go on to the gradient."""
        g = self.gradient(self.position, *arguments)
        if self.momentum:
            self.velocity = g if self.velocity is None else self.momentum * self.velocity + g
            g = self.velocity
        self.position = self.position - self.step_size * g


class NetworkDescent:
    """The networks of many lanes, from v = 0, under v ← μv + g, w ← w − ηv, over all points.

    position: (s, p), moved in place.
    """

    def __init__(
        self, lanes: Lanes, w0: Tensor, step_sizes: Sequence[float], momenta: Sequence[float]
    ) -> None:
        self.lanes = lanes
        self.position = w0.new_zeros(len(lanes), w0.numel())
        self._step = -w0.new_tensor(step_sizes)[:, None]
        self._momentum = w0.new_tensor(momenta)[:, None]
        self._velocity = torch.zeros_like(self.position) if any(momenta) else None

    def advance(self, steps: int) -> None:
        """Take these steps, each lane by its own η."""
        step = self.step
        if steps > WORTH_RECORDING and self.lanes.is_recordable:
            steps -= "_replayed" not in self.__dict__
            step = self._replayed
        for _ in range(steps):
            step()

    def step(self) -> None:
        """Take one step, each lane by its own η."""
        self.move(self.slope()[0])

    @once
    def _replayed(self) -> Callable[[], None]:
        """One step as one launch; asking for it takes the first."""
        return replayed(self.step, self.position.device)

    def slope(self) -> tuple[Tensor, Tensor]:
        """Return g here, and the change of αh since the start."""
        return self.lanes.gradient(self.position)

    def hold(self, lane: int) -> None:
        """Have this lane move no more."""
        self._step[lane] = 0.0

    def move(self, g: Tensor) -> None:
        """Take the step that follows g."""
        if self._velocity is not None:
            g = self._velocity.mul_(self._momentum).add_(g)
        self.position.addcmul_(g, self._step)


def tangent_descent(space: TangentSpace, step_size: float, momentum: float) -> Descent:
    """Return gradient descent of the linearised model, from s = 0."""
    start = torch.zeros(space.size, dtype=space.dtype, device=space.problem.w0.device)
    return Descent(lambda s, *batch: gradient(space, s, *batch), start, step_size, momentum)


def tangent_positions(
    space, step_size: float, momentum: float, steps: np.ndarray
) -> Iterator[Tensor]:
    """Yield the coordinates s of the linearised model after each of `steps`, full batch.

    In closed form for the square loss, by its own iteration otherwise.
    """

    def filters(eigenvalues: np.ndarray) -> np.ndarray:
        if momentum:
            return momentum_filters(eigenvalues, step_size, momentum, steps)
        return descent_filters(eigenvalues, step_size, steps)

    # Filters with momentum swing, which a Krylov space cannot bound.
    solution = closed_form(space, None if momentum else filters)
    if solution is not None:
        yield from solution.coordinates(filters(solution.eigenvalues))
        return
    descent, done = tangent_descent(space, step_size, momentum), 0
    for step in steps:
        for _ in range(int(step) - done):
            descent.step()
        done = int(step)
        yield descent.position


def moved_points(problem: Problem, batch: Tensor, source: Tensor) -> Points:
    """Return the points of this batch with their pixels taken from elsewhere in the image.

    source: (batch, d), places in the flat image; d stands for 0
    (`lazycore.engine.paths.augmentation`).
    """
    train = problem.train
    padded = torch.nn.functional.pad(train.x[batch], (0, 1))
    x = padded.gather(1, source)
    points = replace(train, x=x, y=problem.targets[batch])
    points.anchor.__dict__["features"] = Products(train.network, train.w0, x, len(x))
    return points


def gradient_on(problem: Problem, v: Tensor, points: Points) -> Tensor:
    """Return Dhᵀ ∇R(αh) at w0 + v/α over points of a batch's own, (p,)."""
    points = points.moved(problem.w0)
    change, pull = points.anchor.change.pullback(v, 1.0 / points.alpha)
    slope = problem.loss.gradient(points.start + points.alpha * change, points.y)
    return pull(slope / len(points))


def tangent_gradient_on(problem: Problem, v: Tensor, points: Points) -> Tensor:
    """Return Jᵀ ∇R(αh̄) at v̄ over points of a batch's own, (p,)."""
    slope = problem.loss.gradient(points.tangent_outputs(v), points.y)
    return points.features.adjoint(slope / len(points))
