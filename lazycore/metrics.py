"""What is measured on a run at a recorded time. Every name is a key of the record."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lazycore.kernel import alignment, relative_change, tangent_kernel
from lazycore.moments import Moment
from lazycore.problem import Points, Problem, rms

KERNEL_POINTS = 500
"""Training points, at most, on which the kernel's change is measured."""

GRID = {1: 201, 2: 41}
"""Points per axis of the grid on which the learned function of d inputs is drawn."""

DIVERGED = 1e6
"""A training loss this many times the initial one (or one that is not finite) has diverged."""


@dataclass(eq=False)
class Meter:
    """Measures moments of one problem; keeps the initial state it compares with."""

    problem: Problem
    ended: set[str] = field(default_factory=set)

    def series(self, moment: Moment) -> dict[str, Any]:
        """Return what is recorded at every time; a model that has diverged has no entries."""
        v, paired, shown = moment.nonlinear, moment.paired, moment.linearized
        network = self._outputs(v, Points.outputs)
        tangent = self._outputs(shown, Points.tangent_outputs)
        found = self._model("nonlinear", v, network) | self._model("linearized", shown, tangent)
        if v is not None and paired is not None and not self.ended:
            beside = tangent
            if paired is not shown:
                beside = self._outputs(paired, Points.tangent_outputs)
            found |= _gaps(network, beside)
            found["gap.parameter"] = (
                float(torch.linalg.vector_norm(v - paired)) / self.problem.alpha
            )
        if v is not None and "nonlinear" not in self.ended and self._signs:
            found["activation_stability"] = self._stability(v)
        return found

    def sparse(self, moment: Moment) -> dict[str, Any]:
        """Return what is recorded now and then: the kernel, and neurons one can draw."""
        v = moment.nonlinear
        if v is None or "nonlinear" in self.ended:
            return {}
        w = self.problem.train.weights(v)
        kernel = tangent_kernel(self.problem.network.features(w, self._kernel_x))
        found: dict[str, Any] = {
            "kernel_change": relative_change(kernel, self._initial_kernel),
            "alignment.nonlinear": alignment(kernel, self.problem.targets[:KERNEL_POINTS]),
        }
        if self._drawable == 2 and self.problem.network.neurons(w) is not None:
            found["neurons.nonlinear"] = self._neurons(v)
            if moment.linearized is not None and "linearized" not in self.ended:
                found["neurons.linearized"] = self._neurons(moment.linearized)
        return found

    def function(self, moment: Moment) -> dict[str, Any]:
        """Return both learned functions on a grid, for one or two inputs."""
        if not self._drawable:
            return {}
        grid, v, shown = self._grid, moment.nonlinear, moment.linearized
        found: dict[str, Any] = {"function.x": _array(grid.x)}
        if v is not None and "nonlinear" not in self.ended:
            found["function.nonlinear"] = _array(grid.outputs(v))
        if shown is not None and "linearized" not in self.ended:
            found["function.linearized"] = _array(grid.tangent_outputs(shown))
        return found

    def constants(self) -> dict[str, Any]:
        """Return what holds for the whole run and is known at its start."""
        problem, w0 = self.problem, self.problem.w0
        found: dict[str, Any] = {
            "lambda_max": problem.largest_eigenvalue,
            "layers": list(dict.fromkeys(block.layer for block in problem.network.blocks)),
            "parameters": w0.numel(),
        }
        if self._drawable:
            found["data.x"], found["data.y"] = _array(problem.train.x), _array(problem.targets)
        neurons = problem.network.neurons(w0) if self._drawable == 2 else None
        if neurons is not None:
            found["neurons.sign"] = _array(neurons[1])
        return found

    def _outputs(self, v: Tensor | None, outputs) -> dict[str, Tensor]:
        """Return the outputs at v on the training and, where there are any, the test points."""
        if v is None:
            return {}
        sets = {"train": self.problem.train, "test": self.problem.test}
        return {name: outputs(points, v) for name, points in sets.items() if points is not None}

    def _model(self, name: str, v: Tensor | None, outputs: dict[str, Tensor]) -> dict[str, Any]:
        problem = self.problem
        if v is None or name in self.ended:
            self.ended.add(name)
            return {}
        loss = float(problem.loss.per_point(outputs["train"], problem.targets).mean())
        if not np.isfinite(loss) or loss > DIVERGED * self._loss_unit:
            self.ended.add(name)
            return {}
        found = {
            "train_loss": loss,
            "train_error": self._error(outputs["train"], problem.targets),
            "displacement": float(torch.linalg.vector_norm(v)) / problem.alpha,
            "displacement_by_layer": self._by_layer(v) / problem.alpha,
            "output_change": rms(outputs["train"] - problem.train.start),
        }
        if problem.test is not None and problem.test.y is not None:
            y_test = problem.test.y
            found["test_loss"] = float(problem.loss.per_point(outputs["test"], y_test).mean())
            found["test_error"] = self._error(outputs["test"], y_test)
        return {f"{name}.{key}": value for key, value in found.items() if value is not None}

    def _error(self, f: Tensor, y: Tensor) -> float | None:
        """Return the share of points with y·f ≤ 0, or whose largest output is another class."""
        if self.problem.classes == 0:
            return None
        if f.shape[1] == 1:
            return float((y * f <= 0.0).double().mean())
        # A tie is not a decision: equal outputs (all zero at the start) are an error.
        ranked = f.topk(2, dim=1).values
        wrong = (f.argmax(1) != y.argmax(1)) | (ranked[:, 0] == ranked[:, 1])
        return float(wrong.double().mean())

    def _by_layer(self, v: Tensor) -> np.ndarray:
        squares: dict[str, float] = {}
        for block in self.problem.network.blocks:
            part = float(v[block.slice].square().sum())
            squares[block.layer] = squares.get(block.layer, 0.0) + part
        return np.sqrt(list(squares.values()))

    def _stability(self, v: Tensor) -> float:
        """Return the share of (point, hidden unit) pairs that keep their initial sign."""
        now = self._sign_patterns(v)
        shares = [float((a == b).double().mean()) for a, b in zip(now, self._signs, strict=True)]
        return sum(shares) / len(shares)

    def _sign_patterns(self, v: Tensor) -> list[Tensor]:
        train = self.problem.train
        return [z > 0.0 for z in self.problem.network.preactivations(train.weights(v), train.x)]

    def _neurons(self, v: Tensor) -> np.ndarray:
        neurons = self.problem.network.neurons(self.problem.train.weights(v))
        assert neurons is not None
        return _array(neurons[0]).astype(np.float32)

    @cached_property
    def _signs(self) -> list[Tensor]:
        return self._sign_patterns(torch.zeros_like(self.problem.w0))

    @cached_property
    def _loss_unit(self) -> float:
        problem = self.problem
        initial = float(problem.loss.per_point(problem.train.start, problem.targets).mean())
        return max(initial, float(torch.finfo(problem.w0.dtype).tiny))

    @cached_property
    def _kernel_x(self) -> Tensor:
        return self.problem.train.x[:KERNEL_POINTS]

    @cached_property
    def _initial_kernel(self) -> Tensor:
        return tangent_kernel(self.problem.network.features(self.problem.w0, self._kernel_x))

    @cached_property
    def _drawable(self) -> int:
        """Input dimension if the learned function can be drawn, else 0."""
        x = self.problem.train.x
        return x.shape[1] if x.ndim == 2 and x.is_floating_point() and x.shape[1] in GRID else 0

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


def _gaps(network: dict[str, Tensor], tangent: dict[str, Tensor]) -> dict[str, float]:
    return {f"gap.{name}_output": rms(f - tangent[name]) for name, f in network.items()}


def _array(values: Tensor) -> np.ndarray:
    return values.detach().cpu().double().numpy()
