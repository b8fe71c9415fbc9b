"""Tangent features of any function of the weights, by products.

J v takes what a function offers: forward-mode differentiation, or two passes backward (r → Jᵀ r
is linear, and its derivative along v is J v), or all rows of J. What a way gives is compared with
the reverse mode before it is believed: ⟨r, J v⟩ = ⟨Jᵀ r, v⟩.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from lazycore.engine.features.features import Features, add_rows, each_adjoint, four_axes
from lazycore.engine.features.gram import LIMIT
from lazycore.machine.once import once

Function = Callable[[Tensor], Tensor]
"""Weights (p,) → outputs (n, k)."""

MOST_AT_ONCE, LARGEST_BATCH = 64, 2**26
"""Rows of a Jacobian that are formed at once, and bytes that they may take."""

SAME = 1e-5
"""How far, relative, a batched backward pass may be from a plain one: its rounding, in float32."""

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

    @once
    def _shape(self) -> tuple[int, int, int]:
        with torch.no_grad():
            n, k = self.function(self.w0).shape
        return n, k, self.w0.numel()

    @property
    def like(self) -> Tensor:
        """The weights."""
        return self.w0.detach()

    @once
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
            return pulled_back(self.function(w), w, r)

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
        return rows_of(outputs, w).view(*outputs.shape, -1)

    def select(self, batch: Tensor) -> "Differentiated":
        """Return the features of these points; every product still passes all of them."""
        return Differentiated(lambda w: self.function(w)[batch], self.w0, self.known)


def rows_of(outputs: Tensor, w: Tensor) -> Tensor:
    """Return J (n·k, p) of outputs of the leaf w: a few rows by one batched backward pass.

    One by one where the function has no batched backward, or one that differs from its own.
    """
    count = outputs.numel()
    found = w.new_empty((count, w.numel()))
    at_once = max(1, min(MOST_AT_ONCE, LARGEST_BATCH // (w.element_size() * max(1, w.numel()))))
    batched = count > 1
    for first in range(0, count, at_once):
        last = min(first + at_once, count)
        basis = outputs.new_zeros((last - first, count))
        basis[range(last - first), range(first, last)] = 1.0
        basis = basis.view(-1, *outputs.shape)
        rows = _batched(outputs, w, basis) if batched else None
        if rows is None:
            batched = False
            for row, one in zip(found[first:last], basis, strict=True):
                row.copy_(pulled_back(outputs, w, one))
        else:
            found[first:last] = rows
    return found


def _batched(outputs: Tensor, w: Tensor, basis: Tensor) -> Tensor | None:
    """Return the rows of J that the basis picks, or None where torch has no way to."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of slow batching rules
            rows = torch.autograd.grad(
                outputs, w, basis, retain_graph=True, is_grads_batched=True, materialize_grads=True
            )[0]
    except UNKNOWN:
        return None
    first = pulled_back(outputs, w, basis[0])
    apart = torch.linalg.vector_norm(rows[0] - first)
    return rows if apart <= SAME * torch.linalg.vector_norm(first) else None


def pulled_back(outputs: Tensor, w: Tensor, r: Tensor) -> Tensor:
    """Return Jᵀ r for outputs of the leaf w, whose graph can be used again.

    Reentrant checkpoints run backward within backward, and only into a leaf's `grad`.
    """
    try:
        found = torch.autograd.grad(outputs, w, r, retain_graph=True, allow_unused=True)[0]
    except RuntimeError as error:
        if "use_reentrant" not in str(error):
            raise
        w.grad = None
        outputs.backward(r, retain_graph=True)
        found, w.grad = w.grad, None
    return torch.zeros_like(w) if found is None else found


def forwards(function: Function, w0: Tensor, v: Tensor) -> Tensor:
    """Return J v by one forward-mode product."""
    with forward_ad.dual_level():
        outputs = function(forward_ad.make_dual(w0, v))
        tangent = forward_ad.unpack_dual(outputs).tangent
        return torch.zeros_like(outputs) if tangent is None else tangent.clone()


def twice_backwards(function: Function, w0: Tensor, v: Tensor) -> Tensor:
    """Return J v as the derivative of u → ⟨Jᵀ u, v⟩; its graph is kept where v has one."""
    w = w0.clone().requires_grad_()
    with sdpa_kernel(SDPBackend.MATH), _unfused():
        outputs = function(w)
        u = torch.zeros_like(outputs, requires_grad=True)
        pulled = torch.autograd.grad(outputs, w, u, create_graph=True)[0]
        return torch.autograd.grad(pulled, u, v, create_graph=v.requires_grad)[0]


@contextmanager
def _unfused() -> Iterator[None]:
    """Have recurrent layers computed step by step: fused, they know first derivatives only."""
    mkldnn: Any = torch.backends.mkldnn
    kept = mkldnn.enabled
    mkldnn.enabled = False  # its own context warns of GPUs that are not there
    try:
        with torch.backends.cudnn.flags(enabled=False):
            yield
    finally:
        mkldnn.enabled = kept


def by_rows(function: Function, w0: Tensor, v: Tensor) -> Tensor:
    """Return J v from the rows of J, one backward pass each."""
    w = w0.clone().requires_grad_()
    outputs = function(w)
    found, wanted = [], outputs.new_zeros(outputs.shape)
    for one in wanted.view(-1):
        one.fill_(1.0)
        found.append(pulled_back(outputs, w, wanted) @ v)
        one.fill_(0.0)
    return torch.stack(found).view(outputs.shape)


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
