r"""The tangent model of a network at its initial weights, and its features.

    h̄(w, x) = h(w0, x) + D_w h(w0, x) · (w − w0)

(Chizat, Oyallon & Bach 2019, arXiv:1812.07956, §2.1.) All of lazy training is in the
features J = D_w h(w0, x): what they can reach is what the linearised model can fit, and
their Gram matrix J Jᵀ is the tangent kernel. There are four forms of the same thing, from
the cheapest to the most general; each offers `apply`, `adjoint`, `kernel` and `matrix`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from lazycore.engine.features.differentiated import Differentiated as Differentiated
from lazycore.engine.features.features import Features as Features
from lazycore.engine.features.features import add_rows, four_axes
from lazycore.engine.features.gram import LIMIT, add_products
from lazycore.engine.features.layers import Layered as Layered
from lazycore.engine.features.layers import as_one
from lazycore.machine.blas import arrays


@dataclass(frozen=True)
class Joined:
    """Features of g(w_a) − g(w_b): one copy's beside the negative of the other's."""

    first: Features
    second: Features
    split: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """n, k and p of both copies together."""
        n, k, p = self.first.shape
        return n, k, p + self.second.shape[2]

    @property
    def like(self) -> Tensor:
        """Any tensor of the dtype, and on the device, of J."""
        return self.first.like

    def apply(self, v: Tensor) -> Tensor:
        """Return J_a v_a − J_b v_b."""
        return self.first.apply(v[: self.split]) - self.second.apply(v[self.split :])

    def adjoint(self, r: Tensor) -> Tensor:
        """Return (J_aᵀ r, −J_bᵀ r)."""
        return torch.cat([self.first.adjoint(r), self.second.adjoint(-r)], dim=-1)

    def kernel(self, other: Features | None = None) -> Tensor:
        """Return J_a J_aᵀ + J_b J_bᵀ."""
        return four_axes(self, other)

    def add_kernel(self, total: Tensor, other: Features | None, limit: int = LIMIT) -> None:
        """Add both copies' kernels."""
        if (one := together(self, other, limit // 2)) is not None:
            one[0].add_kernel(total, one[1], limit // 2)
        elif other is None or isinstance(other, Joined):
            self.first.add_kernel(total, None if other is None else other.first, limit)
            self.second.add_kernel(total, None if other is None else other.second, limit)
        else:
            add_rows(total, self, other, limit)

    def matrix(self) -> Tensor:
        """Return (J_a, −J_b)."""
        return torch.cat([self.first.matrix(), -self.second.matrix()], dim=2)

    def select(self, batch: Tensor) -> "Joined":
        """Return both copies' features for the points with these indices."""
        return Joined(self.first.select(batch), self.second.select(batch), self.split)


def together(
    features: Joined, other: Features | None, limit: int
) -> tuple[Layered, Layered | None] | None:
    """Return layers that have the kernel of both copies, see `layers.as_one`."""
    pairs = [(features.first, features.second)]
    if isinstance(other, Joined):
        pairs.append((other.first, other.second))
    found = as_one(pairs, limit) if other is None or len(pairs) == 2 else None
    return None if found is None else (found[0], None if other is None else found[1])


@dataclass(frozen=True)
class Explicit:
    """Features whose matrix J (n, k, p) is small enough to keep."""

    jacobian: Tensor

    @property
    def shape(self) -> tuple[int, int, int]:
        """n, k and p."""
        n, k, p = self.jacobian.shape
        return n, k, p

    @property
    def like(self) -> Tensor:
        """J."""
        return self.jacobian

    def apply(self, v: Tensor) -> Tensor:
        """Return J v."""
        return self.jacobian @ v

    def adjoint(self, r: Tensor) -> Tensor:
        """Return Jᵀ r."""
        return r.flatten(-2) @ self.jacobian.flatten(0, 1)

    def kernel(self, other: Features | None = None) -> Tensor:
        """Return J J'ᵀ."""
        return four_axes(self, other)

    def add_kernel(self, total: Tensor, other: Features | None, limit: int = LIMIT) -> None:
        """Add J J'ᵀ, or J Jᵀ to the upper tiles."""
        if other is not None and not isinstance(other, Explicit):
            add_rows(total, self, other, limit)
            return
        result, rows = arrays(total, self.jacobian.flatten(0, 1))
        others = None if other is None else arrays(other.jacobian.flatten(0, 1))[0]
        add_products(result, rows, others)

    def matrix(self) -> Tensor:
        """Return J."""
        return self.jacobian

    def select(self, batch: Tensor) -> "Explicit":
        """Return the rows of the points with these indices."""
        return Explicit(self.jacobian[batch])


def linearize(function: Callable[[Tensor], Tensor], w0: Tensor) -> Callable[[Tensor], Tensor]:
    r"""Return the tangent model of `function` at `w0`, itself a function of the weights.

        h̄(w) = h(w0) + Dh(w0) · (w − w0)

    (Chizat, Oyallon & Bach 2019, arXiv:1812.07956, §2.1). A tangent model is a model, so
    whatever trains, measures or differentiates `function` does the same to this one.

    Args:
        function: w (p,) → outputs of any shape, differentiable at w0.
        w0: (p,).
    Cost: one forward-mode product per call.

    >>> import torch
    >>> bend = linearize(lambda w: w.square(), torch.tensor([3.0]))
    >>> bend(torch.tensor([4.0]))
    tensor([15.])
    """
    w0 = w0.detach()

    def tangent(w: Tensor) -> Tensor:
        value_and_change = torch.func.jvp(function, (w0,), (w - w0,))
        return value_and_change[0] + value_and_change[1]

    return tangent
