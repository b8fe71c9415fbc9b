"""Steps of gradient descent: of the network, and of its tangent model where it must step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lazycore.dynamics._closed_form import closed_form, descent_filters, momentum_filters
from lazycore.dynamics._tangent import TangentSpace, gradient
from lazycore.problem import Problem


@dataclass
class Descent:
    """One model under v ← μv + g, w ← w − ηv; `position` moves in place."""

    gradient: Callable[[Tensor], Tensor]
    position: Tensor
    step_size: float
    momentum: float
    velocity: Tensor | None = None

    def step(self, *arguments: Tensor) -> None:
        """Take one step; `arguments` (a batch) go on to the gradient."""
        g = self.gradient(self.position, *arguments)
        if self.momentum:
            self.velocity = g if self.velocity is None else self.momentum * self.velocity + g
            g = self.velocity
        self.position = self.position - self.step_size * g


def network_descent(problem: Problem, step_size: float, momentum: float) -> Descent:
    """Return gradient descent of the network, from v = 0."""
    return Descent(problem.gradient, torch.zeros_like(problem.w0), step_size, momentum)


def tangent_descent(space: TangentSpace, step_size: float, momentum: float) -> Descent:
    """Return gradient descent of the linearised model, from s = 0."""
    start = torch.zeros(space.size, dtype=space.problem.w0.dtype, device=space.problem.w0.device)
    return Descent(lambda s, *batch: gradient(space, s, *batch), start, step_size, momentum)


def tangent_positions(
    space, step_size: float, momentum: float, steps: np.ndarray
) -> Iterator[Tensor]:
    """Yield the coordinates s of the linearised model after each of `steps`, full batch.

    In closed form for the square loss, by its own iteration otherwise.
    """
    solution = closed_form(space)
    if solution is not None:
        filters = (
            momentum_filters(solution.eigenvalues, step_size, momentum, steps)
            if momentum
            else descent_filters(solution.eigenvalues, step_size, steps)
        )
        yield from solution.coordinates(filters)
        return
    descent, done = tangent_descent(space, step_size, momentum), 0
    for step in steps:
        for _ in range(int(step) - done):
            descent.step()
        done = int(step)
        yield descent.position
