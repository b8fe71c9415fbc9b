"""What is measured on a run at a recorded time. Every name is a key of the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lazycore.kernel_cost import is_dear
from lazycore.kernel_meter import KernelMeter
from lazycore.labels import has_signs, sign_agreement, smallest_margin
from lazycore.module_network import ModuleNetwork
from lazycore.moments import MODELS, Moment, Position, TangentSpace
from lazycore.preactivations import preactivation_speed
from lazycore.problem import Points, Problem
from lazycore.stability import Stability

TEST_POINTS = 1000
"""Test points, at most, whose outputs are kept, so that runs can be averaged."""

GRID = {1: 201, 2: 41}
"""Points per axis of the grid on which the learned function of d inputs is drawn."""

FEW_OUTPUTS = 8
"""Outputs n·k up to which αh and αh̄ themselves are recorded: points of a space one can draw."""

OF_BOTH = ("gap", "sign_agreement")
"""What compares the models, and ends with the first that does."""

DIVERGED = 1e6
"""A training loss this many times the initial one (or one that is not finite) has diverged."""


@dataclass(eq=False)
class Meter:
    """Measures moments of one problem; keeps the initial state it compares with."""

    problem: Problem
    ended: frozenset[str] = frozenset()

    def series(self, moments: Sequence[Moment]) -> list[tuple[dict[str, Any], frozenset[str]]]:
        """Return what is recorded at each of these times, and the models that have ended by
        then: they have no entries any more. All times are measured at once."""
        if "nonlinear" in self.ended and moments[0].exact is not None:
            return self._alone(moments)
        there = [moment for moment in moments if moment.nonlinear is not None]
        if not there:
            self.ended = MODELS
            return [({}, MODELS) for _ in moments]
        v = torch.stack([moment.nonlinear for moment in there if moment.nonlinear is not None])
        exact = _positions([moment.exact for moment in there])
        tangent = _positions([moment.tangent for moment in there])
        network, hidden = self._network_outputs(v)
        shown = self._tangent_outputs(*exact)
        both = all(moment.exact is moment.tangent for moment in there)
        beside = shown if both else self._tangent_outputs(*tangent)
        columns = self._model("nonlinear", network, self.problem.norms_by_layer(v))
        columns |= self._model("linearized", shown, exact[0].displacement_by_layer(exact[1]))
        gaps = {f"gap.{name}_output": _rms(f - beside[name]) for name, f in network.items()}
        v_bar = (tangent[0].parameters(s) for s in tangent[1])
        apart = [torch.linalg.vector_norm(w - other) for w, other in zip(v, v_bar, strict=True)]
        gaps["gap.parameter"] = torch.stack(apart) / self.problem.alpha
        columns |= gaps
        if self.problem.targets.numel() <= FEW_OUTPUTS:
            columns["nonlinear.outputs"] = self.problem.train.start + network["train"]
            columns["linearized.outputs"] = self.problem.train.start + shown["train"]
        if "test" in network and has_signs(self.problem):
            start = self.problem.test.start if self.problem.test else 0.0
            columns["sign_agreement"] = sign_agreement(
                start + network["test"], start + shown["test"]
            )
        columns |= self._stability.columns(v, hidden)
        arrays = {name: _array(column) for name, column in columns.items()}
        found = [self._entries(arrays, i, moment.met) for i, moment in enumerate(there)]
        return found + self.series(moments[len(there) :]) if len(there) < len(moments) else found

    def _alone(self, moments: Sequence[Moment]) -> list[tuple[dict[str, Any], frozenset[str]]]:
        """Return what is recorded once the network has ended: its linearisation."""
        there = [moment for moment in moments if moment.exact is not None]
        space, s = _positions([moment.exact for moment in there])
        columns = self._model(
            "linearized", self._tangent_outputs(space, s), space.displacement_by_layer(s)
        )
        arrays = {name: _array(column) for name, column in columns.items()}
        found = [self._entries(arrays, i, moment.met) for i, moment in enumerate(there)]
        return found + self.series(moments[len(there) :]) if len(there) < len(moments) else found

    def sparse(self, moment: Moment, ended: frozenset[str]) -> dict[str, Any]:
        """Return what is recorded now and then: the kernel, and neurons one can draw."""
        v = moment.nonlinear
        if v is None or "nonlinear" in ended:
            return {}
        w = self.problem.train.weights(v)
        found = self._kernels.at(w)
        if self._drawable == 2 and self.problem.network.neurons(w) is not None:
            found["neurons.nonlinear"] = self._neurons(v)
            if moment.linearized is not None and "linearized" not in ended:
                found["neurons.linearized"] = self._neurons(moment.linearized)
        return found

    def function(self, moment: Moment, ended: frozenset[str]) -> dict[str, Any]:
        """Return both learned functions on a grid, for one or two inputs."""
        if not self._drawable:
            return {}
        grid, v, shown = self._grid, moment.nonlinear, moment.linearized
        found: dict[str, Any] = {"function.x": _array(grid.x)}
        if v is not None and "nonlinear" not in ended:
            found["function.nonlinear"] = _array(grid.outputs(v))
        if shown is not None and "linearized" not in ended:
            found["function.linearized"] = _array(grid.tangent_outputs(shown))
        return found

    def constants(self) -> dict[str, Any]:
        """Return what holds for the whole run and is known at its start."""
        problem, w0 = self.problem, self.problem.w0
        found: dict[str, Any] = {
            "layers": problem.layers,
            "parameters": w0.numel(),
        } | self._kernels.constants()
        if self.knows_largest_eigenvalue:
            found["lambda_max"] = problem.largest_eigenvalue
        speed = preactivation_speed(problem)
        if speed is not None:
            found["preactivation_speed"] = speed
        if self._drawable:
            found["data.x"], found["data.y"] = _array(problem.train.x), _array(problem.targets)
        neurons = problem.network.neurons(w0) if self._drawable == 2 else None
        if neurons is not None:
            found["neurons.sign"] = _array(neurons[1])
        return found

    def at_end(self, moment: Moment, ended: frozenset[str]) -> dict[str, Any]:
        """Return how far the network is, at last, from one with the gates of its beginning.

        The output gap of the two, and the share of points that the latter gets wrong.
        """
        problem, v = self.problem, moment.nonlinear
        network = problem.network
        if v is None or "nonlinear" in ended or not isinstance(network, ModuleNetwork):
            return {}
        found: dict[str, Any] = {}
        for part, points in {"train": problem.train, "test": problem.test}.items():
            if points is None:
                continue
            frozen = network.frozen_gates(points.w0, points.weights(v), points.x)
            if frozen is None or points.y is None:
                continue
            outputs = points.start + problem.alpha * (frozen - points.anchor.outputs)
            found[f"frozen_gates.{part}_gap"] = float(_rms(points.outputs(v) - outputs))
            if problem.classes:
                found[f"frozen_gates.{part}_error"] = float(self._error(outputs, points.y))
        return found

    @property
    def knows_largest_eigenvalue(self) -> bool:
        """Whether λ_max is there, or had for little: of deep networks of convolutions it takes
        longer than to train them, and most do without."""
        dear = is_dear(self.problem.network)
        return not dear or "largest_eigenvalue" in self.problem.train.anchor.__dict__

    def _entries(
        self, arrays: dict[str, np.ndarray], i: int, met: frozenset[str]
    ) -> tuple[dict[str, Any], frozenset[str]]:
        """Return the entries of the i-th moment, without those of models that have ended; the
        ones that have come to their end with it have none from the next on."""
        for model in MODELS - self.ended:
            loss = arrays[f"{model}.train_loss"][i]
            if not np.isfinite(loss) or loss > DIVERGED * self._loss_unit:
                self.ended |= {model}
        found = {}
        for name, column in arrays.items():
            owner = name.split(".")[0]
            owners = MODELS if owner in OF_BOTH else {owner if owner in MODELS else "nonlinear"}
            if not owners & self.ended:
                found[name] = float(column[i]) if column.ndim == 1 else column[i]
        ended, self.ended = self.ended, self.ended | met
        return found, ended

    def _network_outputs(self, v: Tensor) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Return the changes of αh on both sets of points, and the hidden units' inputs."""
        train, hidden = self.problem.train.observed(v)
        test = self.problem.test
        return ({"train": train} | ({"test": test.observed(v)[0]} if test else {})), hidden

    def _tangent_outputs(self, space: TangentSpace, s: Tensor) -> dict[str, Tensor]:
        """Return the changes of αh̄ on both sets of points."""
        test = {"test": space.test_outputs(s)} if self.problem.test else {}
        return {"train": space.train_outputs(s)} | test

    def _model(self, name: str, changes: dict[str, Tensor], by_layer: Tensor) -> dict[str, Tensor]:
        problem, by_layer = self.problem, by_layer / self.problem.alpha
        found = {
            "displacement": by_layer.square().sum(1).sqrt(),
            "displacement_by_layer": by_layer,
            "output_change": _rms(changes["train"]),
        }
        sets = {"train": problem.train, "test": problem.test}
        for part, points in sets.items():
            if points is not None and points.y is not None:
                outputs = points.start + changes[part]
                found[f"{part}_loss"] = problem.loss.per_point(outputs, points.y).mean(-1)
                if problem.classes:
                    found[f"{part}_error"] = self._error(outputs, points.y)
                if part == "train" and has_signs(problem):
                    found["margin"] = smallest_margin(outputs, points.y)
                if part == "test":
                    found["test_outputs"] = outputs[:, :TEST_POINTS]
        return {f"{name}.{key}": value for key, value in found.items()}

    def _error(self, f: Tensor, y: Tensor) -> Tensor:
        """Return the share of points with y·f ≤ 0, or whose largest output is another class."""
        if f.shape[-1] == 1:
            return (y * f <= 0.0).to(f.dtype).mean((-2, -1))
        # A tie is not a decision: equal outputs (all zero at the start) are an error.
        ranked = f.topk(2, dim=-1).values
        wrong = (f.argmax(-1) != y.argmax(-1)) | (ranked[..., 0] == ranked[..., 1])
        return wrong.to(f.dtype).mean(-1)

    def _neurons(self, v: Tensor) -> np.ndarray:
        neurons = self.problem.network.neurons(self.problem.train.weights(v))
        assert neurons is not None
        return _array(neurons[0]).astype(np.float32)

    @cached_property
    def _stability(self) -> Stability:
        return Stability(self.problem)

    @cached_property
    def _loss_unit(self) -> float:
        problem = self.problem
        initial = float(problem.loss.per_point(problem.train.start, problem.targets).mean())
        return max(initial, float(torch.finfo(problem.w0.dtype).tiny))

    @cached_property
    def _kernels(self) -> KernelMeter:
        return KernelMeter(self.problem)

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


def _positions(positions: Sequence[Position | None]) -> tuple[TangentSpace, Tensor]:
    """Return the space of these states of one linearised model, and their coordinates (r, q)."""
    known = [position for position in positions if position is not None]
    return known[0].space, torch.stack([position.s for position in known])


def _rms(values: Tensor) -> Tensor:
    """Return the L²(ρ̂) norm of outputs (r, n, k): shape (r,)."""
    return values.square().sum(-1).mean(-1).sqrt()


def _array(values: Tensor) -> np.ndarray:
    return values.detach().cpu().double().numpy()
