"""What is drawn of a run in the plane: the learned functions, and the neurons."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lazycore.columns import as_array
from lazycore.moments import Moment
from lazycore.problem import Points, Problem

GRID = {1: 201, 2: 41}
"""Points per axis of the grid on which the learned function of d inputs is drawn."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Draws one problem. chosen: the two inputs to draw neurons on, where the task says which."""

    problem: Problem
    chosen: tuple[int, ...] = ()

    def function(self, moment: Moment, ended: frozenset[str]) -> dict[str, Any]:
        """Return both learned functions on a grid, for one or two inputs."""
        if not self._drawable:
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
        """Return the neurons of both models, where there are any that can be drawn."""
        v, shown = moment.nonlinear, moment.linearized
        if not self._plane or v is None or self._neurons(v) is None:
            return {}
        found: dict[str, Any] = {"neurons.nonlinear": self._neurons(v)}
        if shown is not None and "linearized" not in ended:
            found["neurons.linearized"] = self._neurons(shown)
        return found

    def constants(self) -> dict[str, Any]:
        """Return the points, and the signs of the neurons' outer weights."""
        problem, found = self.problem, {}
        if self._drawable:
            found["data.x"], found["data.y"] = as_array(problem.train.x), as_array(problem.targets)
        neurons = problem.network.neurons(problem.w0) if self._plane else None
        if neurons is not None:
            found["neurons.sign"] = as_array(neurons[1])
        return found

    def _neurons(self, v: Tensor) -> np.ndarray | None:
        neurons = self.problem.network.neurons(self.problem.train.weights(v))
        if neurons is None:
            return None
        return as_array(neurons[0])[:, list(self._plane)].astype(np.float32)

    @cached_property
    def _drawable(self) -> int:
        """Input dimension if the learned function can be drawn, else 0."""
        x = self.problem.train.x
        return x.shape[1] if x.ndim == 2 and x.is_floating_point() and x.shape[1] in GRID else 0

    @property
    def _plane(self) -> tuple[int, ...]:
        """The two inputs on which neurons are drawn, if there are any."""
        return self.chosen or ((0, 1) if self._drawable == 2 else ())

    @cached_property
    def _grid(self) -> Points:
        x = self.problem.train.x
        low, high = x.min(0).values, x.max(0).values
        margin = 0.15 * (high - low).clamp(min=1e-6)
        axes = [
            torch.linspace(float(a), float(b), GRID[self._drawable], dtype=x.dtype)
            for a, b in zip(low - margin, high + margin, strict=True)
        ]
        points = torch.stack([g.reshape(-1) for g in torch.meshgrid(*axes, indexing="ij")], dim=1)
        return self.problem.second_points(points.to(x.device))
