"""What a run with `keep=kernels` holds of its tangent kernel at each time it is measured."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lazycore.config.cost import LARGEST_FROZEN
from lazycore.engine.features.kernel import layer_kernels
from lazycore.engine.measures.frozen_kernel import train_frozen
from lazycore.engine.measures.labels import share_of_errors
from lazycore.engine.networks.kernel_cost import affordable_points, is_dear
from lazycore.engine.problem.problem import Problem
from lazycore.machine.once import once

POINTS = 100
"""Training points, at most, of the Gram matrix that is kept."""

EIGENVALUES = 100
"""Eigenvalues, at most, and as many projections of the labels."""

TEST_POINTS = 1000
"""Test points, at most, on which these are looked at."""

EVERY = 4
"""Models are trained at every fourth time at which the kernel is kept, and at the last."""

WHOLE, LAST = "frozen", "frozen_last_layer"
"""The kernel of all layers, and that of the last one alone."""


@dataclass(eq=False)
class KeptKernels:
    """Measures the kernels of one run, and what a model learns that is trained with each.

    time: length of that training, at most. margin: y·f on every point at which it ends.
    Cost: an eigendecomposition at each time; at every fourth one two trainings of up to
    `frozen_kernel.MOST_STEPS` steps, 0.1 to 0.7 s each at n = 200.
    """

    problem: Problem
    time: float
    margin: float = math.inf
    outputs: list[dict[str, np.ndarray]] = field(default_factory=list)
    last: tuple[Tensor, dict[str, Any]] | None = None

    def at(self, w: Tensor) -> dict[str, Any]:
        """Return what is kept of the kernel at the weights w (p,); of the last ones at once."""
        if self.last is None or not torch.equal(self.last[0], w):
            self.last = w.clone(), self._measured(w, len(self.outputs) % EVERY == 0)
        return self.last[1]

    def _measured(self, w: Tensor, is_trained: bool) -> dict[str, Any]:
        problem, x = self.problem, self.problem.train.x
        n, k, count = *problem.targets.shape, self.count
        features = problem.network.features(w, x[:count])
        kernels = [part.double() for part in layer_kernels(features).values()]
        whole = torch.stack(kernels).sum(0)
        found = _spectrum(whole, problem.targets[:count])
        found["kernel.gram"] = _gram(whole, self.order, k)
        self.outputs.append({})
        if count == n and is_trained:
            found |= self._frozen(w, {WHOLE: whole, LAST: kernels[-1]})
        return found

    def constants(self) -> dict[str, Any]:
        """Return the targets of the points of the Gram matrix, in their order."""
        y = self.problem.targets[self.order].double().cpu().numpy()
        return {"kernel.labels": y[:, 0] if y.shape[1] == 1 else y.argmax(1).astype(float)}

    def at_end(self, w: Tensor, outputs: Tensor) -> dict[str, Any]:
        """Return how each frozen kernel's test outputs go with the network's at the end.

        Pearson's correlation at each kernel time, (T_k,), NaN where no model is trained.
        outputs: αh on the test points at w.
        """
        self.at(w)
        if not self.outputs[-1]:
            self.outputs.pop()
            self.last = w.clone(), self._measured(w, True)
        final = outputs[: self.test_count].double().cpu().numpy().reshape(-1)
        return {
            f"{name}.correlation": np.array(
                [_correlation(kept[name], final) if kept else np.nan for kept in self.outputs]
            )
            for name in self.outputs[-1]
        }

    @once
    def count(self) -> int:
        """Training points on which the kernel is kept: fewer where forming it is dear."""
        problem = self.problem
        most = max(1, LARGEST_FROZEN // problem.targets.shape[1])
        return affordable_points(problem.network, problem.w0, problem.train.x, most)

    @property
    def test_count(self) -> int:
        """Test points, at most, on which models are looked at."""
        return self.count if is_dear(self.problem.network) else TEST_POINTS

    @property
    def order(self) -> Tensor:
        """Indices of the points of the Gram matrix, sorted by their targets."""
        y = self.problem.targets[: min(POINTS, self.count)]
        label = y[:, 0] if y.shape[1] == 1 else y.argmax(1)
        return torch.sort(label, stable=True).indices

    def _frozen(self, w: Tensor, kernels: dict[str, Tensor]) -> dict[str, Any]:
        """Return losses and errors of the models trained with these kernels."""
        problem, found = self.problem, {}
        cross = self._cross(w)
        for name, kernel in kernels.items():
            c, reached = train_frozen(kernel, problem, self.time, self.margin)
            sets = {"train": (problem.train, kernel), "test": (problem.test, cross.get(name))}
            found[f"{name}.time"] = reached
            for part, (points, rows) in sets.items():
                if points is None or rows is None or points.y is None:
                    continue
                y = points.y[: self.test_count] if part == "test" else points.y
                f = points.start[: len(y)] + (rows @ c).view(len(y), -1)
                found[f"{name}.{part}_loss"] = float(problem.loss.per_point(f, y).mean())
                if problem.classes:
                    found[f"{name}.{part}_error"] = float(share_of_errors(f, y))
                if part == "test":
                    self.outputs[-1][name] = f.cpu().numpy().reshape(-1)
        return found

    def _cross(self, w: Tensor) -> dict[str, Tensor]:
        """Return Θ(x', x) of test and training points, of all layers and of the last."""
        network, test = self.problem.network, self.problem.test
        if test is None:
            return {}
        rows, columns = test.x[: self.test_count], self.problem.train.x
        features = [network.features(w, x) for x in (rows, columns)]
        parts = [part.double() for part in layer_kernels(features[0], features[1]).values()]
        return {WHOLE: torch.stack(parts).sum(0), LAST: parts[-1]}


def _spectrum(kernel: Tensor, targets: Tensor) -> dict[str, Any]:
    """Return the largest eigenvalues of Θ/n, and (v_i · y)²/‖y‖² of their eigenvectors."""
    values, vectors = torch.linalg.eigh(kernel / len(targets))
    y = targets.reshape(-1).to(kernel)
    shares = (vectors.T @ y).square() / y.square().sum().clamp(min=1e-300)
    found = {"kernel.eigenvalues": values.clamp(min=0.0), "kernel.projections": shares}
    return {name: v.flip(0)[:EIGENVALUES].cpu().numpy() for name, v in found.items()}


def _gram(kernel: Tensor, order: Tensor, k: int) -> np.ndarray:
    """Return Θ between these points, the mean over their k outputs, in single precision."""
    blocks = kernel.unflatten(1, (-1, k)).unflatten(0, (-1, k))
    mean = blocks.diagonal(dim1=1, dim2=3).mean(-1)
    return mean[order][:, order].cpu().numpy().astype(np.float32)


def _correlation(f: np.ndarray, other: np.ndarray) -> float:
    """Return Pearson's correlation, NaN where one of them is constant."""
    if not (f.std() > 0.0 and other.std() > 0.0):
        return float("nan")
    return float(np.corrcoef(f, other)[0, 1])
