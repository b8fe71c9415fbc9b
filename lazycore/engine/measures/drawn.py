"""What is recorded to be drawn: the learned functions on a grid, and the hidden units."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lazycore.config.moments import Moment
from lazycore.engine.measures.columns import as_array
from lazycore.engine.problem.problem import Points, Problem
from lazycore.machine.once import once

GRID = {1: 201, 2: 41}
"""Points per axis of the grid on which the learned function of d inputs is drawn."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What of one problem can be drawn.

    plane: the two inputs on which hidden units are, where it is not for the inputs to say.
    """

    problem: Problem
    plane: tuple[int, int] | None = None

    def constants(self) -> dict[str, Any]:
        """Return the points of one or two inputs, and the signs of the hidden units."""
        problem, found = self.problem, {}
        if self._inputs:
            found["data.x"], found["data.y"] = as_array(self._x), as_array(problem.targets)
        neurons = problem.network.neurons(problem.w0) if self._axes else None
        if neurons is not None:
            found["neurons.sign"] = as_array(neurons[1])
        return found

    def function(self, moment: Moment, ended: frozenset[str]) -> dict[str, Any]:
        """Return the learned functions on a grid, for one or two inputs."""
        if not self._inputs:
            return {}
        grid, v, shown = self._grid, moment.nonlinear, moment.linearized
        found: dict[str, Any] = {"function.x": as_array(grid.x)}
        if v is not None and "nonlinear" not in ended:
            found["function.nonlinear"] = as_array(grid.outputs(v))
        if shown is not None and "linearized" not in ended:
            found["function.linearized"] = as_array(grid.tangent_outputs(shown))
        third = moment.refreshed
        if third is not None and "refreshed" not in ended:
            found["function.refreshed"] = as_array(grid.start + third.elsewhere(grid.x))
        return found

    def neurons(self, moment: Moment, ended: frozenset[str]) -> dict[str, Any]:
        """Return |a_j| b_j of both models in a plane, (m, 2), for one hidden layer."""
        network, w0 = self.problem.network, self.problem.w0
        if not self._axes or network.neurons(w0) is None:
            return {}
        found = {}
        for model, v in (("nonlinear", moment.nonlinear), ("linearized", moment.linearized)):
            if v is not None and model not in ended:
                found[f"neurons.{model}"] = self._neurons(v)
        return found

    def _neurons(self, v: Tensor) -> np.ndarray:
        neurons = self.problem.network.neurons(self.problem.train.weights(v))
        assert neurons is not None
        return as_array(neurons[0])[:, list(self._axes)].astype(np.float32)

    @property
    def _x(self) -> Tensor:
        """What the training points are."""
        train = self.problem.train
        return train.x if train.drawn is None else train.drawn

    @property
    def _axes(self) -> tuple[int, ...]:
        return self.plane or ((0, 1) if self._inputs == 2 else ())

    @once
    def _inputs(self) -> int:
        """Input dimension if the learned function can be drawn, else 0."""
        x = self._x
        return x.shape[1] if x.ndim == 2 and x.is_floating_point() and x.shape[1] in GRID else 0

    @once
    def _grid(self) -> Points:
        x = self._x
        low, high = x.min(0).values, x.max(0).values
        margin = 0.15 * (high - low).clamp(min=1e-6)
        axes = [
            torch.linspace(float(a), float(b), GRID[self._inputs], dtype=x.dtype)
            for a, b in zip(low - margin, high + margin, strict=True)
        ]
        points = torch.stack([g.reshape(-1) for g in torch.meshgrid(*axes, indexing="ij")], dim=1)
        return self.problem.second_points(points.to(x.device))
