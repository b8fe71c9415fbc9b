"""Tangent features by products alone: nothing is kept but the weights and the points."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from lazycore.tangent.features import Features, add_rows, each_adjoint, four_axes
from lazycore.tangent.gram import LIMIT

Function = Callable[[Tensor, Tensor], Tensor]
"""A network: weights (p,), points → outputs (n, k), each of its own point alone."""


@dataclass(frozen=True, eq=False)
class Products:
    """Features J = D_w h(w0, x) by one forward- or reverse-mode product, a few points at a time.

    What remains for convolutional networks whose inputs and signals are too many to keep. One
    mini-batch costs what its own points cost, whatever the number of points in all.

    function: h. w0: (p,). x: n points. at_once: points in one pass.
    Cost: `apply` three forward passes (values, and two products of each layer), `adjoint`
    three (one forward, one backward); `matrix` and `kernel` n·k backward passes.
    """

    function: Function
    w0: Tensor
    x: Tensor
    at_once: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """n, k and p."""
        return len(self.x), self._outputs, self.w0.numel()

    @cached_property
    def _outputs(self) -> int:
        with torch.no_grad():
            return self.function(self.w0, self.x[:1]).shape[1]

    @property
    def like(self) -> Tensor:
        """The weights."""
        return self.w0

    def apply(self, v: Tensor) -> Tensor:
        """Return J v, (n, k)."""
        return torch.cat([self._product(part, v) for part in self._parts()])

    def adjoint(self, r: Tensor) -> Tensor:
        """Return Jᵀ r, (p,); of several r one after another."""
        if r.ndim > 2:
            return each_adjoint(self, r)
        w = self.w0.detach().requires_grad_()
        total = torch.zeros_like(self.w0)
        for part, signal in zip(self._parts(), r.split(self.at_once), strict=True):
            with torch.enable_grad():
                total += torch.autograd.grad(self.function(w, part), w, grad_outputs=signal)[0]
        return total

    def kernel(self, other: Features | None = None) -> Tensor:
        """Return J J'ᵀ."""
        return four_axes(self, other)

    def add_kernel(self, total: Tensor, other: Features | None, limit: int = LIMIT) -> None:
        """Add J J'ᵀ by blocks of rows; a matrix too large for the limit is formed repeatedly."""
        add_rows(total, self, other, limit)

    def matrix(self) -> Tensor:
        """Return J (n, k, p), one backward pass per row."""
        w = self.w0.detach().requires_grad_()
        rows = []
        for part in self._parts():
            with torch.enable_grad():
                outputs = self.function(w, part).reshape(-1).unbind()
            rows += [torch.autograd.grad(o, w, retain_graph=True)[0] for o in outputs]
        return torch.stack(rows).view(self.shape)

    def select(self, batch: Tensor) -> "Products":
        """Return the features of the points with these indices; only those are passed."""
        return Products(self.function, self.w0, self.x[batch], self.at_once)

    def _parts(self) -> Iterator[Tensor]:
        yield from self.x.split(self.at_once)

    def _product(self, x: Tensor, v: Tensor) -> Tensor:
        return torch.func.jvp(lambda w: self.function(w, x), (self.w0,), (v,))[1]
