"""Iterative linearisation by mini-batches: features are kept for K of them, then taken anew."""

from dataclasses import replace

import torch
from torch import Tensor

from lazycore.config import refreshing
from lazycore.config.moments import Refreshed
from lazycore.config.spec import Values
from lazycore.engine.linear.tangent import ParameterSpace, gradient
from lazycore.engine.paths.descent import Descent, tangent_gradient_on
from lazycore.engine.problem.problem import Points, Problem
from lazycore.engine.refreshed.stages import Stages


class RefreshedBatches:
    """The third path of one run of mini-batches: it takes those of the other two.

    Where the K batches of a stage pass all points, their features are kept; else each batch has
    those of its own points alone.
    """

    def __init__(self, problem: Problem, values: Values) -> None:
        self._path, self._values = Stages(problem, values), values
        schedule = values["steps"], values["refresh_every"], values["refresh_schedule"]
        self._stages = refreshing.stages(*schedule)
        self._ends_refreshed = refreshing.ends_refreshed(*schedule)
        self._begin = self._end = self._done = 0
        self._time, self._cap = 0.0, float("inf")
        self._inside, self._ended = False, False
        self._descent = Descent(self._gradient, self._path.v, 0.0, values["momentum"])

    def step(self, batch: Tensor | Points, step_size: float) -> None:
        """Take a step of that size on the points with these indices, or on points given."""
        if self._ended:
            return
        if self._done == self._end:
            self._begin, self._end = next(self._stages)
            self._path.look()
            rate = self._path.enter(self._done, self._time, step_size)
            self._cap = rate if rate < step_size else float("inf")
        self._descent.step_size = min(step_size, self._cap)
        self._descent.step(batch)
        self._done, self._time, self._inside = self._done + 1, self._time + step_size, True
        if self._done == self._end and (self._end < self._values["steps"] or self._ends_refreshed):
            self._path.leave(self._descent.position)
            self._descent.position = torch.zeros_like(self._path.v)
            self._inside, self._ended = False, not bool(self._path.v.isfinite().all())

    def state(self) -> Refreshed | None:
        """Return where the path is, None once it has diverged."""
        if not self._inside and not self._ended:
            self._path.look()
            self._ended = self._path.has_diverged(self._path.stage.train.start)
        if self._ended:
            return None
        return self._path.state(self._descent.position if self._inside else None)

    def _gradient(self, u: Tensor, batch: Tensor | Points) -> Tensor:
        stage = self._path.stage
        train, y = stage.train, stage.targets
        if isinstance(batch, Points):
            return tangent_gradient_on(stage, u, replace(train, x=batch.x, y=batch.y))
        if (self._end - self._begin) * len(batch) >= len(train):
            return gradient(ParameterSpace(stage, train.features), u, batch)
        return tangent_gradient_on(stage, u, replace(train, x=train.x[batch], y=y[batch]))
