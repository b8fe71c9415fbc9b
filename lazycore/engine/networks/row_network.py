"""Somebody's module as a function of one flat vector of its weights, row of outputs by row.

A *row* is what the loss sums over outputs of: a point, or one position of a point (a token) where
each is classified. Rows are known by their numbers, and what the points are is kept here: so a
module whose outputs depend on other points as well (a graph network, batch norm as it is trained)
is given all of them whatever rows are asked for, and points may be dicts or several tensors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from lazycore.engine.features.differentiated import Differentiated, Way, pulled_back
from lazycore.engine.features.linearize import Explicit, Features
from lazycore.engine.features.products import Products
from lazycore.engine.networks import gates
from lazycore.engine.networks.held_module import HeldModule
from lazycore.engine.networks.inputs import Inputs
from lazycore.engine.networks.module_features import layered_features, layers_of
from lazycore.engine.networks.network import Block
from lazycore.engine.networks.state import State
from lazycore.machine.once import once

LARGEST_MATRIX = 2**28
"""Bytes up to which a module's Jacobian is kept rather than multiplied anew at each step."""


@dataclass(frozen=True, eq=False)
class RowNetwork:
    """A module that is nobody else's, on sets of points; rows are numbered through all sets.

    held: the module. sets: of points; the training points first.
    positions: rows of each point, set by set; 1 where each point is a row.
    together: whether outputs depend on other points too: then all of a set are passed, always.
    state: what the module keeps beside weights and buffers, put back before each pass; None for
        one that keeps nothing. writes: whether it changes its inputs, which are then copied.
    """

    held: HeldModule
    sets: tuple[Inputs, ...]
    positions: tuple[int, ...]
    counts: tuple[int, ...]
    together: bool = True
    state: State | None = None
    writes: bool = False

    smooth = False
    stacked = False
    degree = None

    @property
    def blocks(self) -> tuple[Block, ...]:
        """One block per trainable parameter, under its own name."""
        return self.held.blocks

    @property
    def structured(self) -> bool:
        """Whether every parameter is a weight or bias of a dense or convolutional layer."""
        return self._structured

    @once
    def _structured(self) -> bool:
        module = self.held.module
        owners = {id(p) for layer in layers_of(module).values() for p in layer.parameters()}
        return not self.together and all(id(p.parameter) in owners for p in self.held.places)

    @once
    def starts(self) -> tuple[int, ...]:
        """The number of each set's first row, and one more."""
        sizes = [n * t for n, t in zip(self.counts, self.positions, strict=True)]
        return tuple(accumulate(sizes, initial=0))

    def rows(self, number: int) -> Tensor:
        """Return the numbers of all rows of a set of points."""
        return torch.arange(self.starts[number], self.starts[number + 1], device=self._device)

    def drawn_inputs(self, number: int) -> Tensor | None:
        """Return the points of a set as rows of real numbers (n, d), where they are that and the
        module can be asked at others: then its outputs can be drawn."""
        x = self.sets[number].value
        is_rows = isinstance(x, Tensor) and x.ndim == 2 and x.is_floating_point()
        return x if is_rows and not self.together and max(self.positions) == 1 else None

    @once
    def _device(self) -> torch.device:
        return self.held.places[0].parameter.device

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Return the weights that the module came with."""
        return self.held.weights().cpu().numpy()

    def displaced(self, w0: Tensor, x: Tensor) -> None:
        """Return None: no way free of cancellation is known for a module."""

    def __call__(self, w: Tensor, x: Tensor) -> Tensor:
        """Return the outputs (r, k) of the rows with these numbers, or at points given as such.

        x: (r,) numbers; or points (n, …) of real numbers, for a module that takes one tensor.
        """
        outputs = self._function(x)(w, x)
        return outputs if _is_followed(w) else outputs.detach()

    def pullback(self, w: Tensor, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return the outputs and r → Dhᵀ r by reverse-mode differentiation."""
        function = self._function(x)
        w = w.detach().requires_grad_()
        parts = self.held.parts(w)
        with torch.enable_grad():
            outputs = function(parts, x)

        def pull(r: Tensor) -> Tensor:
            self._hold(parts)  # a backward pass may read the module once more
            return pulled_back(outputs, w, r)

        return outputs.detach(), pull

    def features(self, w: Tensor, x: Tensor) -> Features:
        """Return the tangent features: by layers, else as a small matrix, else by products."""
        function, w = self._function(x), w.detach()
        apart = not self.together and max(self.positions) == 1
        if apart and self.held.is_plain:
            layered = layered_features(self.held.module, self.blocks, function, w, x)
            if layered is not None:
                return layered
        rows = Differentiated(partial(_of, function, x), w, self._way(w))
        if apart:
            rows = Products(function, w, x, len(x), self._way(w), kernel_is_dear=False)
        n, k, p = rows.shape
        if n * k * p * w.element_size() <= LARGEST_MATRIX:
            return Explicit(rows.matrix())
        return rows

    def _way(self, w: Tensor) -> Way:
        """Return how products with J are formed, which the first one finds."""
        if "way" not in self._found:
            x = self.rows(0)[:1]
            self._found["way"] = Differentiated(partial(_of, self._function(x), x), w).way
        return self._found["way"]

    @once
    def _found(self) -> dict[str, Way]:
        return {}

    def observe(self, w: Tensor, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the outputs, and what each activation module received; plain functions are
        not seen."""
        outputs, seen = gates.observe(self.held.module, self._function(x), w, x)
        return outputs.detach(), seen

    def neurons(self, w: Tensor) -> None:
        """Return None: a module's neurons are not known."""

    def second_derivative_norm(self, w: Tensor, x: Tensor) -> None:
        """Return None: no structure is known."""

    def second_derivative_bound(self, w: Tensor, x: Tensor, radius: float) -> None:
        """Return None: no bound is known."""

    def _function(self, x: Tensor) -> Callable[[Any, Tensor], Tensor]:
        """Return (weights or their parts, rows) → outputs, for rows that are all of x's set."""
        if x.is_floating_point():
            return self._at_points
        number = sum(int(x[0]) >= start for start in self.starts[1:-1])
        return partial(self._at_rows, number)

    def _at_points(self, w: Any, x: Tensor) -> Tensor:
        return self._pass(w, Inputs(x))

    def _at_rows(self, number: int, w: Any, x: Tensor) -> Tensor:
        points, first, each = self.sets[number], self.starts[number], self.positions[number]
        if self.together or len(x) == self.counts[number] * each:
            return self._pass(w, points)[x - first]
        if each == 1:
            return self._pass(w, points.of(x - first))
        some, place = torch.unique((x - first) // each, return_inverse=True)
        return self._pass(w, points.of(some))[place * each + (x - first) % each]

    def _pass(self, w: Any, points: Inputs) -> Tensor:
        """Return the outputs (r, k) of all rows of these points; the graph of w is kept."""
        with torch.enable_grad():  # a module may differentiate its own inputs
            if isinstance(w, Tensor) and not _is_followed(w):
                w = w.detach().requires_grad_()  # or itself, in its weights
            parts = self.held.parts(w) if isinstance(w, Tensor) else w
            self._hold(parts)
            outputs = (points.each(torch.clone) if self.writes else points).call(self.held.module)
            return as_rows(outputs, max(self.positions) > 1).to(self.held.dtype)

    def _hold(self, parts: Sequence[Tensor]) -> None:
        if self.state is not None:
            self.state.put_back()
        self.held.hold(parts)


def as_rows(outputs: Tensor, by_position: bool) -> Tensor:
    """Return outputs (n,), (n, k) or (n, …, k) as a matrix: of points, or of their positions."""
    if outputs.ndim == 1:
        return outputs[:, None]
    return outputs.flatten(0, -2) if by_position else outputs.flatten(1)


def _is_followed(w: Tensor) -> bool:
    """Whether derivatives in these weights are being formed, in either mode."""
    return w.requires_grad or forward_ad.unpack_dual(w).tangent is not None


def _of(function: Callable[[Tensor, Tensor], Tensor], x: Tensor, w: Tensor) -> Tensor:
    return function(w, x)
