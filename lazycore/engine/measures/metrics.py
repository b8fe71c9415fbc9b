"""What is measured on a run at a recorded time. Every name is a key of the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lazycore.config.moments import DIVERGED, MODELS, Moment, TangentSpace
from lazycore.engine.measures.columns import as_array, model_columns, positions
from lazycore.engine.measures.compression import Compression
from lazycore.engine.measures.drawn import Drawn
from lazycore.engine.measures.kept_kernels import KeptKernels
from lazycore.engine.measures.kernel_meter import KernelMeter
from lazycore.engine.measures.labels import has_signs, share_of_errors, sign_agreement
from lazycore.engine.measures.preactivations import preactivation_speed
from lazycore.engine.measures.refreshed import refreshed_columns
from lazycore.engine.measures.stability import Stability
from lazycore.engine.networks.kernel_cost import is_dear
from lazycore.engine.networks.module_network import ModuleNetwork
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.problem import Problem
from lazycore.machine.once import once

OF_BOTH = ("gap", "sign_agreement")
"""What compares the models, and ends with the first that does."""


@dataclass(eq=False)
class Meter:
    """Measures moments of one problem; keeps the initial state it compares with.

    models: those of the run; `refreshed` is a third one where the first moment has it.
    ended: those of them that have ended. kept: what else is held of the kernel, if anything.
    compression: what measures the first layer's directions, where the task says which matter.
    keeps_kernels: whether the kernel itself is kept, as it was at first and is at last.
    """

    problem: Problem
    kept: KeptKernels | None = None
    compression: Compression | None = None
    models: frozenset[str] = MODELS
    ended: frozenset[str] = frozenset()
    keeps_kernels: bool = False

    def series(self, moments: Sequence[Moment]) -> list[tuple[dict[str, Any], frozenset[str]]]:
        """Return what is recorded at each of these times, and the models that have ended by
        then: they have no entries any more. All times are measured at once."""
        two = "refreshed" not in self.models
        if two and "nonlinear" in self.ended and moments[0].exact is not None:
            return self._alone(moments)
        there = [moment for moment in moments if moment.nonlinear is not None]
        if not there:
            self.ended = self.models
            return [({}, self.models) for _ in moments]
        if there[0].refreshed is not None:
            self.models |= {"refreshed"}
        v = torch.stack([moment.nonlinear for moment in there if moment.nonlinear is not None])
        exact = positions([moment.exact for moment in there])
        tangent = positions([moment.tangent for moment in there])
        network, hidden = self._network_outputs(v)
        shown = self._tangent_outputs(*exact)
        both = all(moment.exact is moment.tangent for moment in there)
        beside = shown if both else self._tangent_outputs(*tangent)
        columns = model_columns(self.problem, "nonlinear", network, self.problem.norms_by_layer(v))
        columns |= model_columns(
            self.problem, "linearized", shown, exact[0].displacement_by_layer(exact[1])
        )
        columns |= self._between(network, shown, beside)
        columns["gap.parameter"] = self._apart(v, *tangent)
        if "refreshed" in self.models:
            third = [moment.refreshed for moment in there]
            columns |= refreshed_columns(self.problem, third, network["train"])
        columns |= self._stability.columns(v, hidden)
        columns |= self.compression.columns(v) if self.compression else {}
        return self._found(moments, there, columns)

    def _alone(self, moments: Sequence[Moment]) -> list[tuple[dict[str, Any], frozenset[str]]]:
        """Return what is recorded once the network has ended: its linearisation."""
        there = [moment for moment in moments if moment.exact is not None]
        space, s = positions([moment.exact for moment in there])
        columns = model_columns(
            self.problem,
            "linearized",
            self._tangent_outputs(space, s),
            space.displacement_by_layer(s),
        )
        return self._found(moments, there, columns)

    def _found(
        self, moments: Sequence[Moment], there: Sequence[Moment], columns: dict[str, Tensor]
    ) -> list[tuple[dict[str, Any], frozenset[str]]]:
        """Return the entries of the moments that are `there`, and then of those after them."""
        arrays = {name: as_array(column) for name, column in columns.items()}
        found = [self._entries(arrays, i, moment.met) for i, moment in enumerate(there)]
        return found + self.series(moments[len(there) :]) if len(there) < len(moments) else found

    def _between(
        self,
        network: dict[str, Tensor],
        shown: dict[str, Tensor],
        beside: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """Return how far apart both models' outputs are, and on how many signs they agree."""
        found = {f"gap.{name}_output": rms(f - beside[name]) for name, f in network.items()}
        test = self.problem.test
        if test is not None and has_signs(self.problem):
            both = (test.start + changes["test"] for changes in (network, shown))
            found["sign_agreement"] = sign_agreement(*both)
        return found

    def _apart(self, v: Tensor, space: TangentSpace, s: Tensor) -> Tensor:
        """Return ‖w − w̄‖ at v (r, p) and s (r, q), (r,)."""
        return torch.linalg.vector_norm(v - space.parameters(s), dim=1) / self.problem.alpha

    def sparse(self, moment: Moment, ended: frozenset[str]) -> dict[str, Any]:
        """Return what is recorded now and then: the kernel, and neurons one can draw."""
        v = moment.nonlinear
        if v is None or "nonlinear" in ended:
            return {}
        w = self.problem.train.weights(v)
        found = self._kernels.at(w) | (self.kept.at(w) if self.kept else {})
        return found | self.drawn.neurons(moment, ended)

    def constants(self) -> dict[str, Any]:
        """Return what holds for the whole run and is known at its start."""
        problem, w0 = self.problem, self.problem.w0
        found: dict[str, Any] = {
            "layers": problem.layers,
            "parameters": w0.numel(),
        } | self._kernels.constants()
        found |= self.kept.constants() if self.kept else {}
        if self.knows_largest_eigenvalue:
            found["lambda_max"] = problem.largest_eigenvalue
        speed = preactivation_speed(problem)
        if speed is not None:
            found["preactivation_speed"] = speed
        return found | self.drawn.constants()

    def at_end(self, moment: Moment, ended: frozenset[str]) -> dict[str, Any]:
        """Return how far the network is, at last, from models that keep what it began with.

        Of one with the gates of its beginning the output gap, and the share of points that it
        gets wrong; of those with frozen kernels what `KeptKernels` says.
        """
        problem, v = self.problem, moment.nonlinear
        network, found = problem.network, {}
        if v is None or "nonlinear" in ended:
            return found
        if self.keeps_kernels:
            found |= self._kernels.both(problem.train.weights(v))
        if self.kept and problem.test:
            found |= self.kept.at_end(problem.train.weights(v), problem.test.outputs(v))
        if not isinstance(network, ModuleNetwork):
            return found
        for part, points in {"train": problem.train, "test": problem.test}.items():
            if points is None:
                continue
            frozen = network.frozen_gates(points.w0, points.weights(v), points.x)
            if frozen is None or points.y is None:
                continue
            outputs = points.start + problem.alpha * (frozen - points.anchor.outputs)
            found[f"frozen_gates.{part}_gap"] = float(rms(points.outputs(v) - outputs))
            if problem.classes:
                found[f"frozen_gates.{part}_error"] = float(share_of_errors(outputs, points.y))
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
        for model in self.models - self.ended:
            loss = arrays[f"{model}.train_loss"][i]
            if not np.isfinite(loss) or loss > DIVERGED * self._loss_unit:
                self.ended |= {model}
        found = {}
        for name, column in arrays.items():
            owner = name.split(".")[0]
            of_one = {owner if owner in self.models else "nonlinear"}
            owners = MODELS if owner in OF_BOTH else of_one
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

    @once
    def drawn(self) -> Drawn:
        """What is recorded to be drawn."""
        return Drawn(self.problem, self.compression.plane if self.compression else None)

    @once
    def _stability(self) -> Stability:
        return Stability(self.problem)

    @once
    def _loss_unit(self) -> float:
        problem = self.problem
        initial = float(problem.loss.per_point(problem.train.start, problem.targets).mean())
        return max(initial, float(torch.finfo(problem.w0.dtype).tiny))

    @once
    def _kernels(self) -> KernelMeter:
        return KernelMeter(self.problem)
