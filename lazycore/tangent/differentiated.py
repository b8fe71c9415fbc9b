"""Tangent features of any function of the weights, by products.

J v takes what a function offers: forward-mode differentiation, or two passes backward (r → Jᵀ r
is linear, and its derivative along v is J v), or all rows of J. What a way gives is compared with
the reverse mode before it is believed: ⟨r, J v⟩ = ⟨Jᵀ r, v⟩.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from lazycore.tangent.features import Features, add_rows, each_adjoint, four_axes
from lazycore.tangent.gram import LIMIT

Function = Callable[[Tensor], Tensor]
"""Weights (p,) → outputs (n, k)."""

Way = Callable[[Function, Tensor, Tensor], Tensor]
"""(function, w0, v) → J v, (n, k)."""

UNKNOWN = (RuntimeError, NotImplementedError, TypeError, ValueError, AttributeError)
"""What torch, and functions with a backward of their own, raise for what they cannot do."""


@dataclass(frozen=True)
class Differentiated:
    """Features of any function w → (n, k), by products with J and Jᵀ.

    What remains where nothing cheaper applies: one product costs about two to five passes, or
    n·k backward ones where the function can neither be differentiated forwards nor twice.

    known: the way to J v, where it is known already; else it is found by the first product.
    """

    function: Function
    w0: Tensor
    known: Way | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """n, k and p."""
        return self._shape

    @cached_property
    def _shape(self) -> tuple[int, int, int]:
        with torch.no_grad():
            n, k = self.function(self.w0).shape
        return n, k, self.w0.numel()

    @property
    def like(self) -> Tensor:
        """The weights."""
        return self.w0.detach()

    @cached_property
    def way(self) -> Way:
        """How J v is formed."""
        return self.known or product_of(self)

    def apply(self, v: Tensor) -> Tensor:
        """Return J v."""
        with torch.enable_grad():
            return self.way(self.function, self.w0.detach(), v.detach()).detach()

    def adjoint(self, r: Tensor) -> Tensor:
        """Return Jᵀ r by one reverse-mode product."""
        if r.ndim > 2:
            return each_adjoint(self, r)
        w = self.w0.detach().requires_grad_()
        with torch.enable_grad():
            return torch.autograd.grad(self.function(w), w, grad_outputs=r)[0]

    def kernel(self, other: Features | None = None) -> Tensor:
        """Return J J'ᵀ from blocks of rows of the explicit matrices."""
        return four_axes(self, other)

    def add_kernel(self, total: Tensor, other: Features | None, limit: int = LIMIT) -> None:
        """Add J J'ᵀ by blocks of rows; a matrix too large for the limit is formed repeatedly."""
        add_rows(total, self, other, limit)

    def matrix(self) -> Tensor:
        """Return J, one reverse-mode product per row."""
        w = self.w0.detach().requires_grad_()
        with torch.enable_grad():
            outputs = self.function(w)
        found = w.new_empty((outputs.numel(), w.numel()))
        wanted = outputs.new_zeros(outputs.shape)
        for row, one in zip(found, wanted.view(-1), strict=True):
            one.fill_(1.0)
            row.copy_(torch.autograd.grad(outputs, w, wanted, retain_graph=True)[0])
            one.fill_(0.0)
        return found.view(*outputs.shape, -1)

    def select(self, batch: Tensor) -> "Differentiated":
        """Return the features of these points; every product still passes all of them."""
        return Differentiated(lambda w: self.function(w)[batch], self.w0, self.known)


def forwards(function: Function, w0: Tensor, v: Tensor) -> Tensor:
    """Return J v by one forward-mode product."""
    with forward_ad.dual_level():
        outputs = function(forward_ad.make_dual(w0, v))
        tangent = forward_ad.unpack_dual(outputs).tangent
        return torch.zeros_like(outputs) if tangent is None else tangent.clone()


def twice_backwards(function: Function, w0: Tensor, v: Tensor) -> Tensor:
    """Return J v as the derivative of u → ⟨Jᵀ u, v⟩."""
    w = w0.clone().requires_grad_()
    # Fused attention and recurrent layers know their first derivatives only.
    with (
        sdpa_kernel(SDPBackend.MATH),
        torch.backends.cudnn.flags(enabled=False),
        torch.backends.mkldnn.flags(enabled=False),
    ):
        outputs = function(w)
        u = torch.zeros_like(outputs, requires_grad=True)
        pulled = torch.autograd.grad(outputs, w, u, create_graph=True)[0]
        return torch.autograd.grad(pulled, u, v)[0]


def by_rows(function: Function, w0: Tensor, v: Tensor) -> Tensor:
    """Return J v from the rows of J, one backward pass each."""
    w = w0.clone().requires_grad_()
    outputs = function(w)
    found, wanted = outputs.new_empty(outputs.shape), outputs.new_zeros(outputs.shape)
    for entry, one in zip(found.detach().view(-1), wanted.view(-1), strict=True):
        one.fill_(1.0)
        entry.copy_(torch.autograd.grad(outputs, w, wanted, retain_graph=True)[0] @ v)
        one.fill_(0.0)
    return found.detach()


def product_of(features: Differentiated) -> Way:
    """Return the cheapest way to J v that agrees with the reverse mode."""
    w0, rng = features.w0.detach(), np.random.default_rng(0)
    v = torch.as_tensor(rng.standard_normal(w0.shape)).to(w0)
    for way in (forwards, twice_backwards):
        try:
            with torch.enable_grad():
                product = way(features.function, w0, v).detach()
        except UNKNOWN:
            continue
        r = torch.as_tensor(rng.standard_normal(product.shape)).to(product)
        pulled = features.adjoint(r)
        size = torch.linalg.vector_norm(pulled * v) + torch.linalg.vector_norm(r * product)
        apart = (r * product).sum() - pulled @ v
        if apart.abs() <= torch.finfo(product.dtype).eps ** 0.4 * size:
            return way
    return by_rows
