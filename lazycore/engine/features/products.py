"""Tangent features by products alone: nothing is kept but the weights and the points."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from lazycore.engine.features.differentiated import Differentiated, Way, forwards
from lazycore.engine.features.features import Features, add_rows, each_adjoint, four_axes
from lazycore.engine.features.gram import LIMIT
from lazycore.engine.features.linearize import Joined
from lazycore.machine.once import once

LARGEST_ROWS = 2**31
"""Bytes of rows that may be kept where forming them anew takes passes of somebody's module."""

Function = Callable[[Tensor, Tensor], Tensor]
"""A network: weights (p,), points → outputs (n, k), each of its own point alone."""


@dataclass(frozen=True, eq=False)
class Products:
    """Features J = D_w h(w0, x) by one forward- or reverse-mode product, a few points at a time.

    What remains for convolutional networks whose inputs and signals are too many to keep. One
    mini-batch costs what its own points cost, whatever the number of points in all.

    function: h. w0: (p,). x: n points. at_once: points in one pass. way: how J v is formed.
    kernel_is_dear: whether it takes longer than to train.
    Cost: `apply` three forward passes (values, and two products of each layer), `adjoint`
    three (one forward, one backward); `matrix` and `kernel` n·k backward passes.
    """

    function: Function
    w0: Tensor
    x: Tensor
    at_once: int
    way: Way = forwards
    kernel_is_dear: bool = True

    @property
    def shape(self) -> tuple[int, int, int]:
        """n, k and p."""
        return len(self.x), self._outputs, self.w0.numel()

    @once
    def _outputs(self) -> int:
        with torch.no_grad():
            return self.function(self.w0, self.x[:1]).shape[1]

    @property
    def like(self) -> Tensor:
        """The weights."""
        return self.w0

    def apply(self, v: Tensor) -> Tensor:
        """Return J v, (n, k)."""
        return torch.cat([part.apply(v) for part in self._parts(self.at_once)])

    def adjoint(self, r: Tensor) -> Tensor:
        """Return Jᵀ r, (p,); of several r one after another."""
        if r.ndim > 2:
            return each_adjoint(self, r)
        parts = zip(self._parts(self.at_once), r.split(self.at_once), strict=True)
        total = torch.zeros_like(self.w0)
        for part, signal in parts:
            total += part.adjoint(signal)
        return total

    def kernel(self, other: Features | None = None) -> Tensor:
        """Return J J'ᵀ."""
        return four_axes(self, other)

    def add_kernel(self, total: Tensor, other: Features | None, limit: int = LIMIT) -> None:
        """Add J J'ᵀ by blocks of rows; a matrix too large for the limit is formed repeatedly."""
        add_rows(total, self, other, limit if self.kernel_is_dear else max(limit, LARGEST_ROWS))

    def matrix(self) -> Tensor:
        """Return J (n, k, p), one backward pass per row, through its own point alone."""
        return torch.cat([part.matrix() for part in self._parts(1)])

    def select(self, batch: Tensor) -> "Products":
        """Return the features of the points with these indices; only those are passed."""
        return replace(self, x=self.x[batch])

    def _parts(self, size: int) -> Iterator[Differentiated]:
        for some in self.x.split(size):
            yield Differentiated(partial(self._of, some), self.w0, self.way)

    def _of(self, x: Tensor, w: Tensor) -> Tensor:
        return self.function(w, x)


def is_slow(features: Features) -> bool:
    """Whether products with these features take passes, and their kernel is worth forming."""
    if isinstance(features, Joined):
        return is_slow(features.first)
    if isinstance(features, Products):
        return not features.kernel_is_dear
    return isinstance(features, Differentiated)
