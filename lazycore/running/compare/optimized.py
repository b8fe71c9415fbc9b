"""A network and its linearisation under one optimiser, on the same batches: for people's modules.

Both are stepped in their parameters, since an optimiser may treat each by itself (Adam does): the
linearised model is h̄ under the same rule, with moments of its own. Rules are those of torch.optim
with their defaults, on F_α(w): with w = w0 + v/α, ∇F_α = Dhᵀ∇R/α.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lazycore.config.moments import Moment, Position, recorded_steps
from lazycore.dynamics.sgd import batches
from lazycore.engine.linear.tangent import ParameterSpace, gradient
from lazycore.engine.paths.twins import TwinDescent
from lazycore.engine.problem.problem import Problem

BETAS, EPSILON = (0.9, 0.999), 1e-8
"""Adam's, of Kingma & Ba (2015, arXiv:1412.6980), as torch has them."""


@dataclass(frozen=True)
class Rule:
    """How a gradient becomes a step. momentum: μ. weight_decay: λ of (λ/2)‖w‖², added to F_α."""

    adam: bool = False
    momentum: float = 0.0
    weight_decay: float = 0.0


class Optimized:
    """One model under a rule; position: v (p,)."""

    def __init__(
        self, problem: Problem, of: Callable[..., Tensor], rule: Rule, step_size: float
    ) -> None:
        self.step_size: float | Tensor = step_size
        self._problem, self._gradient, self._rule = problem, of, rule
        self.position = torch.zeros_like(problem.w0)
        self._first: Tensor | None = None
        self._second, self._taken = torch.zeros_like(problem.w0), 0

    def step(self, *batch: Any) -> None:
        """Take one step on the gradient of these points."""
        problem, rule = self._problem, self._rule
        g = self._gradient(self.position, *batch)
        if rule.weight_decay:  # αλw, as g is α∇F
            g = g + rule.weight_decay * (problem.alpha * problem.w0 + self.position)
        move = self._adam(g) if rule.adam else self._with_momentum(g)
        self.position = self.position - self.step_size * move

    def _with_momentum(self, g: Tensor) -> Tensor:
        if not self._rule.momentum:
            return g
        self._first = g if self._first is None else self._rule.momentum * self._first + g
        return self._first

    def _adam(self, g: Tensor) -> Tensor:
        g = g / self._problem.alpha
        self._taken += 1
        first = torch.zeros_like(g) if self._first is None else self._first
        self._first = BETAS[0] * first + (1.0 - BETAS[0]) * g
        self._second = BETAS[1] * self._second + (1.0 - BETAS[1]) * g * g
        mean = self._first / (1.0 - BETAS[0] ** self._taken)
        square = self._second / (1.0 - BETAS[1] ** self._taken)
        return self._problem.alpha * mean / (square.sqrt() + EPSILON)


@dataclass(frozen=True)
class Batches:
    """Which rows go together. points: n. rows: of each point. size: of a batch, None for n."""

    points: int
    rows: int
    size: int | None
    seed: int

    def __iter__(self) -> Iterator[np.ndarray]:
        if self.size is None:
            while True:
                yield np.arange(self.points * self.rows)
        for some in batches(self.points, self.size, self.seed):
            yield (some[:, None] * self.rows + np.arange(self.rows)).reshape(-1)


def optimized(
    problem: Problem,
    rule: Rule,
    stream: Batches,
    *,
    steps: int,
    step_size: float,
    record: np.ndarray | None = None,
) -> Iterator[Moment]:
    """Yield both models at these steps, about 200 where none are given; time is η · steps.

    Cost: per step two gradients of the network (its twin's, for the error), and two products with
    its Jacobian.
    """
    space = ParameterSpace(problem, problem.train.features)

    def network(one: Problem) -> Optimized:
        return Optimized(one, one.gradient, rule, step_size)

    model = network(problem)
    tangent = Optimized(problem, lambda s, batch: gradient(space, s, batch), rule, step_size)
    twin, following, done = TwinDescent(problem, network), iter(stream), 0
    for step in recorded_steps(steps) if record is None else record:
        for _ in range(int(step) - done):
            batch = torch.as_tensor(next(following), device=problem.w0.device)
            model.step(batch)
            tangent.step(batch)
            twin.step(batch, step_size)
        done = int(step)
        position = Position(space, tangent.position)
        yield Moment(
            time=done * step_size,
            progress=done / steps,
            nonlinear=model.position,
            tangent=position,
            exact=position,
            steps=done,
            rounding=twin.look(model.position),
        )
