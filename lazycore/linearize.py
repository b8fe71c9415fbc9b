r"""The tangent model of a network at its initial weights, and its features.

    h̄(w, x) = h(w0, x) + D_w h(w0, x) · (w − w0)

(Chizat, Oyallon & Bach 2019, arXiv:1812.07956, §2.1.) All of lazy training is in the
features J = D_w h(w0, x): what they can reach is what the linearised model can fit, and
their Gram matrix J Jᵀ is the tangent kernel. There are four forms of the same thing, from
the cheapest to the most general; each offers `apply`, `adjoint`, `kernel` and `matrix`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Features(Protocol):
    """The linear map J: R^p → R^{n×k} of one set of points."""

    def apply(self, v: Tensor) -> Tensor:
        """Return J v, shape (n, k), for v of shape (p,)."""
        ...

    def adjoint(self, r: Tensor) -> Tensor:
        """Return Jᵀ r, shape (p,), for r of shape (n, k)."""
        ...

    def kernel(self, other: "Features | None" = None) -> Tensor:
        """Return J J'ᵀ, shape (n, k, n', k); J' = J when no other features are given."""
        ...

    def matrix(self) -> Tensor:
        """Return J itself, shape (n, k, p): n·k·p numbers."""
        ...

    def select(self, batch: Tensor) -> "Features":
        """Return the features of the points with these indices."""
        ...


@dataclass(frozen=True)
class Layered:
    """Features of layers that are linear in their weights, as products of two small factors.

    The derivative of output c at point i with respect to a weight matrix W_l is the outer
    product of a backpropagated signal D_l[i, c] and an activation A_l[i]. So

        Θ = Σ_l (A_l A_lᵀ) ∘ (D_l D_lᵀ)

    and no Jacobian is ever formed.

    factors: per layer A (n, in) and D (n, k, out), in the order of the flat vector.
    Cost: `apply` and `adjoint` n·p multiply-adds, `kernel` n²(in + k² out) per layer.
    """

    factors: tuple[tuple[Tensor, Tensor], ...]

    def apply(self, v: Tensor) -> Tensor:
        """Return Σ_l ⟨D_l, A_l V_lᵀ⟩."""
        total, start = None, 0
        for a, d in self.factors:
            size = d.shape[2] * a.shape[1]
            z = a @ v[start : start + size].view(d.shape[2], a.shape[1]).T
            part = torch.einsum("no,nko->nk", z, d)
            total = part if total is None else total + part
            start += size
        assert total is not None
        return total

    def adjoint(self, r: Tensor) -> Tensor:
        """Return (r ∘ D_l)ᵀ A_l, layer by layer."""
        return torch.cat(
            [(torch.einsum("nk,nko->on", r, d) @ a).reshape(-1) for a, d in self.factors]
        )

    def kernel(self, other: Features | None = None) -> Tensor:
        """Return Σ_l (A_l A'_lᵀ) ∘ (D_l D'_lᵀ)."""
        second = self if other is None else other
        assert isinstance(second, Layered)
        total = None
        for (a, d), (a2, d2) in zip(self.factors, second.factors, strict=True):
            n, k, _ = d.shape
            signals = (d.reshape(n * k, -1) @ d2.reshape(len(d2) * k, -1).T).view(n, k, -1, k)
            part = signals.mul_((a @ a2.T)[:, None, :, None])
            total = part if total is None else total.add_(part)
        assert total is not None
        return total

    def matrix(self) -> Tensor:
        """Return the outer products D_l ⊗ A_l, side by side."""
        return torch.cat(
            [torch.einsum("nko,ni->nkoi", d, a).flatten(2) for a, d in self.factors], dim=2
        )

    def select(self, batch: Tensor) -> "Layered":
        """Return the same factors for the points with these indices."""
        return Layered(tuple((a[batch], d[batch]) for a, d in self.factors))


@dataclass(frozen=True)
class Joined:
    """Features of g(w_a) − g(w_b): one copy's beside the negative of the other's."""

    first: Features
    second: Features
    split: int

    def apply(self, v: Tensor) -> Tensor:
        """Return J_a v_a − J_b v_b."""
        return self.first.apply(v[: self.split]) - self.second.apply(v[self.split :])

    def adjoint(self, r: Tensor) -> Tensor:
        """Return (J_aᵀ r, −J_bᵀ r)."""
        return torch.cat([self.first.adjoint(r), self.second.adjoint(-r)])

    def kernel(self, other: Features | None = None) -> Tensor:
        """Return J_a J_aᵀ + J_b J_bᵀ."""
        if other is None:
            return self.first.kernel() + self.second.kernel()
        assert isinstance(other, Joined)
        return self.first.kernel(other.first) + self.second.kernel(other.second)

    def matrix(self) -> Tensor:
        """Return (J_a, −J_b)."""
        return torch.cat([self.first.matrix(), -self.second.matrix()], dim=2)

    def select(self, batch: Tensor) -> "Joined":
        """Return both copies' features for the points with these indices."""
        return Joined(self.first.select(batch), self.second.select(batch), self.split)


@dataclass(frozen=True)
class Explicit:
    """Features whose matrix J (n, k, p) is small enough to keep."""

    jacobian: Tensor

    def apply(self, v: Tensor) -> Tensor:
        """Return J v."""
        return self.jacobian @ v

    def adjoint(self, r: Tensor) -> Tensor:
        """Return Jᵀ r."""
        return r.reshape(-1) @ self.jacobian.flatten(0, 1)

    def kernel(self, other: Features | None = None) -> Tensor:
        """Return J J'ᵀ."""
        second = self if other is None else other
        assert isinstance(second, Explicit)
        n, k, p = self.jacobian.shape
        gram = self.jacobian.view(n * k, p) @ second.jacobian.view(-1, p).T
        return gram.view(n, k, -1, k)

    def matrix(self) -> Tensor:
        """Return J."""
        return self.jacobian

    def select(self, batch: Tensor) -> "Explicit":
        """Return the rows of the points with these indices."""
        return Explicit(self.jacobian[batch])


@dataclass(frozen=True)
class Differentiated:
    """Features of any function w → (n, k), by forward- and reverse-mode products.

    What remains where nothing cheaper applies: one product costs about two or three passes.
    """

    function: Callable[[Tensor], Tensor]
    w0: Tensor

    def apply(self, v: Tensor) -> Tensor:
        """Return J v by one forward-mode product."""
        return torch.func.jvp(self.function, (self.w0,), (v,))[1]

    def adjoint(self, r: Tensor) -> Tensor:
        """Return Jᵀ r by one reverse-mode product."""
        w = self.w0.detach().requires_grad_()
        return torch.autograd.grad(self.function(w), w, grad_outputs=r)[0]

    def kernel(self, other: Features | None = None) -> Tensor:
        """Return J J'ᵀ from the explicit matrices."""
        second = None if other is None else Explicit(other.matrix())
        return Explicit(self.matrix()).kernel(second)

    def matrix(self) -> Tensor:
        """Return J, one reverse-mode product per row."""
        w = self.w0.detach().requires_grad_()
        outputs = self.function(w)
        rows = [
            torch.autograd.grad(o, w, retain_graph=True)[0] for o in outputs.reshape(-1).unbind()
        ]
        return torch.stack(rows).view(*outputs.shape, -1)

    def select(self, batch: Tensor) -> "Differentiated":
        """Return the features of these points; every product still passes all of them."""
        return Differentiated(lambda w: self.function(w)[batch], self.w0)


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
