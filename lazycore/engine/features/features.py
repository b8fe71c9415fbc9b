"""What tangent features are, and how their kernel is formed in blocks."""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from lazycore.engine.features.gram import LIMIT, add_products, mirror, tiles
from lazycore.machine.blas import Array, arrays


class Features(Protocol):
    """The linear map J: R^p → R^{n×k} of one set of points."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """n, k and p."""
        ...

    @property
    def like(self) -> Tensor:
        """Any tensor of the dtype, and on the device, of J."""
        ...

    def apply(self, v: Tensor) -> Tensor:
        """Return J v, shape (n, k), for v of shape (p,)."""
        ...

    def adjoint(self, r: Tensor) -> Tensor:
        """Return Jᵀ r, shape (p,), for r of shape (n, k), or (…, p) of several (…, n, k)."""
        ...

    def kernel(self, other: "Features | None" = None) -> Tensor:
        """Return J J'ᵀ, shape (n, k, n', k); J' = J when no other features are given."""
        ...

    def add_kernel(self, total: Tensor, other: "Features | None", limit: int = LIMIT) -> None:
        """Add J J'ᵀ to `total` (n·k, n'·k), or J Jᵀ to its upper tiles without another.

        limit: bytes that this may take beside features and result.
        """
        ...

    def matrix(self) -> Tensor:
        """Return J itself, shape (n, k, p): n·k·p numbers."""
        ...

    def select(self, batch: Tensor) -> "Features":
        """Return the features of the points with these indices."""
        ...


def each_adjoint(features: Features, r: Tensor) -> Tensor:
    """Return Jᵀ r (…, p) of several r (…, n, k), one after another."""
    found = [features.adjoint(one) for one in r.flatten(0, -3)]
    return torch.stack(found).unflatten(0, r.shape[:-2])


def form_kernel(features: Features, other: Features | None = None, limit: int = LIMIT) -> Tensor:
    """Return J J'ᵀ as a matrix (n·k, n'·k), formed within `limit` bytes beside it.

    Without other features it is symmetric: its upper half is formed, and mirrored.
    """
    n, k, _ = features.shape
    columns = n if other is None else other.shape[0]
    total = features.like.new_zeros((n * k, columns * k))
    with np.errstate(all="ignore"):  # of weights that have diverged
        features.add_kernel(total, other, limit)
    if other is None:
        mirror(total)
    return total


def add_rows(total: Tensor, first: Features, other: Features | None, limit: int) -> None:
    """Add J J'ᵀ to `total` by rows of both Jacobians, as many at once as the limit allows."""
    second = first if other is None else other
    n, k, p = first.shape
    side = max(1, limit // (2 * k * p * total.element_size()))
    result, held, rows = arrays(total)[0], None, None
    for r, c in tiles(n, None if other is None else second.shape[0], side):
        if r != held:
            rows, held = _some_rows(first, r), r
        columns = None if other is None and r == c else _some_rows(second, c)
        part = result[r.start * k : r.stop * k, c.start * k : c.stop * k]
        add_products(part, rows, columns)


def _some_rows(features: Features, points: slice) -> Array:
    chosen = torch.arange(points.start, points.stop, device=features.like.device)
    return arrays(features.select(chosen).matrix().flatten(0, 1))[0]


def four_axes(features: Features, other: Features | None) -> Tensor:
    """Return J J'ᵀ with its points and outputs apart, (n, k, n', k)."""
    n, k, _ = features.shape
    return form_kernel(features, other).view(n, k, -1, k)
