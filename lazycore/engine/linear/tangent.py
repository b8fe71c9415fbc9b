"""The linearised model in the coordinates in which it is cheapest to train.

    function space    v̄ = Jᵀ s:   αh̄ = αh(w0) + Θ s,   s' = −∇R        n·k coordinates
    parameter space   v̄ = s:      αh̄ = αh(w0) + J s,   s' = −Jᵀ ∇R       p coordinates

Both are the same model exactly. Written for coordinates s, every method needs three maps:
`outputs` (s → change of αh̄ on the training points), `pull` (∇R → −s') and `parameters`
(s → v̄).
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from lazycore.config import moments
from lazycore.config.cost import LARGEST_KERNEL
from lazycore.engine.features.layers import Layer, Layered
from lazycore.engine.features.linearize import Explicit, Features
from lazycore.engine.features.products import Products
from lazycore.engine.problem.problem import Problem
from lazycore.machine.blas import product

LARGEST_MATRIX = 2**28
"""Bytes up to which J itself is kept where there are fewer parameters than outputs."""


class TangentSpace(moments.TangentSpace, Protocol):
    """The linearised model in some coordinates, which can be stepped as well as measured."""

    @property
    def problem(self) -> Problem:
        """What is trained."""
        ...

    @property
    def size(self) -> int:
        """Number of coordinates."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """What s is in."""
        ...

    def outputs(self, s: Tensor, batch: Tensor | None = None) -> Tensor:
        """Return αh̄ − αh(w0) (n, k) at the training points, or at those of `batch`."""
        ...

    def pull(self, r: Tensor, batch: Tensor | None = None) -> Tensor:
        """Return minus the velocity of s when ∇R = r at the training points, or `batch`."""
        ...


@dataclass(frozen=True, eq=False)
class FunctionSpace:
    """Coordinates s (n·k,) with v̄ = Jᵀ s."""

    problem: Problem

    @property
    def kernel(self) -> Tensor:
        """Θ as a matrix (n·k, n·k)."""
        return self.problem.train.anchor.kernel

    @property
    def dtype(self) -> torch.dtype:
        """That of the features."""
        return self.problem.train.features.like.dtype

    @property
    def size(self) -> int:
        """n·k."""
        return self.problem.targets.numel()

    def outputs(self, s: Tensor, batch: Tensor | None = None) -> Tensor:
        """Return Θ s, or its rows of the points in `batch`."""
        n, k = self.problem.targets.shape
        if batch is None:
            return (self.kernel @ s).view(n, k)
        return (self.kernel.view(n, k, -1)[batch] @ s).view(-1, k)

    def pull(self, r: Tensor, batch: Tensor | None = None) -> Tensor:
        """Return r, at its place among all points."""
        if batch is None:
            return r.reshape(-1)
        return r.new_zeros(self.problem.targets.shape).index_add_(0, batch, r).view(-1)

    def parameters(self, s: Tensor) -> Tensor:
        """Return Jᵀ s."""
        return self.problem.train.features.adjoint(s.unflatten(-1, self.problem.targets.shape))

    def train_outputs(self, s: Tensor) -> Tensor:
        """Return Θ s of each state."""
        return product(s, self.kernel).unflatten(1, self.problem.targets.shape)

    def test_outputs(self, s: Tensor) -> Tensor:
        """Return Θ_test s of each state."""
        test = self.problem.test
        assert test is not None
        kernel = test.anchor.kernel_with(self.problem.train.anchor)
        return product(s, kernel.T).unflatten(1, test.start.shape)

    def displacement_by_layer(self, s: Tensor) -> Tensor:
        """Return √(sᵀ Θ_l s)."""
        kernels = self.problem.train.anchor.layer_kernels
        names = self.problem.layers
        if set(kernels) != set(names):
            return self.problem.norms_by_layer(self.parameters(s))
        squares = [(product(s, kernels[name]) * s).sum(1) for name in names]
        return torch.stack(squares, dim=1).clamp(min=0.0).sqrt()

    def quadratic_form(self) -> Tensor:
        """Return H of s' = −(b + H s) for the square loss: Θ/n."""
        return self.kernel / len(self.problem.train)


@dataclass(frozen=True, eq=False)
class ParameterSpace:
    """Coordinates s = v̄ (p,)."""

    problem: Problem
    features: Features

    @property
    def dtype(self) -> torch.dtype:
        """That of the features."""
        return self.features.like.dtype

    @property
    def size(self) -> int:
        """p."""
        return self.problem.w0.numel()

    def outputs(self, s: Tensor, batch: Tensor | None = None) -> Tensor:
        """Return J s."""
        return (self.features if batch is None else self.features.select(batch)).apply(s)

    def pull(self, r: Tensor, batch: Tensor | None = None) -> Tensor:
        """Return Jᵀ r."""
        return (self.features if batch is None else self.features.select(batch)).adjoint(r)

    def parameters(self, s: Tensor) -> Tensor:
        """Return s."""
        return s

    def train_outputs(self, s: Tensor) -> Tensor:
        """Return J s of each state."""
        return torch.stack([self.features.apply(one) for one in s])

    def test_outputs(self, s: Tensor) -> Tensor:
        """Return J_test s of each state."""
        assert self.problem.test is not None
        features = self.problem.test.features
        return torch.stack([features.apply(one) for one in s])

    def displacement_by_layer(self, s: Tensor) -> Tensor:
        """Return ‖s‖, layer by layer."""
        return self.problem.norms_by_layer(s)

    def quadratic_form(self) -> Tensor:
        """Return H of s' = −(b + H s) for the square loss: JᵀJ/n, summed over blocks of points."""
        (n, k), w0 = self.problem.targets.shape, self.problem.w0
        block = max(1, LARGEST_MATRIX // (4 * k * w0.numel() * w0.element_size()))
        form = self.features.like.new_zeros((w0.numel(), w0.numel()))
        for points in torch.arange(n, device=w0.device).split(block):
            rows = self.features.select(points).matrix().flatten(0, 1)
            form.addmm_(rows.T, rows)
        return form / n


def tangent_space(problem: Problem) -> FunctionSpace | ParameterSpace:
    """Return the linearised model in its cheapest coordinates.

    A step costs (n·k)² in function space and 2·n·k·p in parameter space.
    """
    outputs, p = problem.targets.numel(), problem.w0.numel()
    if 2 * p < outputs and outputs * p * problem.w0.element_size() <= LARGEST_MATRIX:
        return ParameterSpace(problem, Explicit(problem.train.features.matrix()))
    features = problem.train.features
    dear = isinstance(features, Products) and features.kernel_is_dear
    if outputs <= LARGEST_KERNEL and not dear:
        return FunctionSpace(problem)
    return ParameterSpace(problem, problem.train.features)


def batch_space(problem: Problem) -> FunctionSpace | ParameterSpace:
    """Return the linearised model in the coordinates that are cheapest for mini-batches.

    Convolutions see many positions: their kernel costs more than many steps with their
    features, or with products of the batch's points alone.
    """
    features = problem.train.features
    parts = features.parts if isinstance(features, Layered) else ()
    many = any(isinstance(part, Layer) and part.inputs.shape[1] > 1 for part in parts)
    if many or isinstance(features, Products):
        return ParameterSpace(problem, features)
    return tangent_space(problem)


def gradient(space: TangentSpace, s: Tensor, batch: Tensor | None = None) -> Tensor:
    """Return minus the velocity of s: pull(∇R(αh̄)), over all points or those of `batch`."""
    problem = space.problem
    start, y = problem.train.start, problem.targets
    if batch is not None:
        start, y = start[batch], y[batch]
    return space.pull(problem.loss.gradient(start + space.outputs(s, batch), y) / len(y), batch)
