"""Differentiable programs that are functions of the weights alone: h(w) ∈ R^k, no inputs.

They stand where a network does: at each of the n points the outputs are the same, so that the
L²(ρ̂) norm of outputs is the plain norm of h(w), whatever n.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from lazycore.engine.features.linearize import Explicit
from lazycore.engine.networks.network import Block
from lazycore.machine.once import once


class Program(Protocol):
    """h with its derivatives in closed form, and what is known of how it bends."""

    @property
    def size(self) -> int:
        """Number of weights p; all start at 0."""
        ...

    def value(self, w: Tensor) -> Tensor:
        """Return h(w), (k,)."""
        ...

    def jacobian(self, w: Tensor) -> Tensor:
        """Return Dh(w), (k, p)."""
        ...

    def second_norm(self, w: Tensor) -> float | None:
        """Return ‖D²h(w)‖ exactly, None where only a numerical search gives it."""
        ...

    def second_bound(self, w: Tensor, radius: float) -> float:
        """Return a number that ‖D²h‖ does not exceed within this radius of w."""
        ...


@dataclass(frozen=True, eq=False)
class ProgramNetwork:
    """A program as a network that ignores its inputs; see
    `lazycore.engine.networks.network.Network`."""

    program: Program
    smooth: bool = True
    structured: bool = True
    stacked: bool = False
    degree: int | None = None
    """One set of weights at a time: two programs drawn from two seeds are not one network."""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All weights as one block."""
        return (Block("weights", (self.program.size,), 0),)

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Return zeros; nothing is drawn."""
        return np.zeros(self.program.size)

    def __call__(self, w: Tensor, x: Tensor) -> Tensor:
        """Return h(w) at every point, (n, k)."""
        h = self.program.value(w)
        return h.expand(len(x), len(h))

    def pullback(self, w: Tensor, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return h(w) at every point, and r (n, k) → Dh(w)ᵀ Σ_i r_i."""
        jacobian = self.program.jacobian(w)
        return self(w, x), lambda r: r.sum(0) @ jacobian

    def displaced(self, w0: Tensor, x: Tensor) -> None:
        """Return None: w0 = 0 and h(w0) is small, so that differences lose little."""

    def features(self, w: Tensor, x: Tensor) -> Explicit:
        """Return Dh(w), the same at every point."""
        jacobian = self.program.jacobian(w)
        return Explicit(jacobian.expand(len(x), *jacobian.shape))

    def observe(self, w: Tensor, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the outputs; there are no hidden units."""
        return self(w, x), []

    def neurons(self, w: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return None: there are none."""

    def second_derivative_norm(self, w: Tensor, x: Tensor) -> float | None:
        """Return ‖D²h(w)‖ where the program knows it."""
        return self.program.second_norm(w)

    def second_derivative_bound(self, w: Tensor, x: Tensor, radius: float) -> float:
        """Return a bound on ‖D²h‖ over the ball round w."""
        return self.program.second_bound(w, radius)


@dataclass(frozen=True, eq=False)
class Quadratic:
    """h(w) = A w + ½ (wᵀB_1 w, …, wᵀB_k w); A (k, p), B (k, p, p) symmetric."""

    a: np.ndarray
    b: np.ndarray

    @property
    def size(self) -> int:
        """p."""
        return self.a.shape[1]

    def value(self, w: Tensor) -> Tensor:
        """Return (A + ½ B w) w."""
        a, b = self._tensors(w)
        return (a + 0.5 * (b @ w)) @ w

    def jacobian(self, w: Tensor) -> Tensor:
        """Return A + B w."""
        a, b = self._tensors(w)
        return a + b @ w

    def second_norm(self, w: Tensor) -> None:
        """Return None: sup ‖(uᵀB_i u)_i‖ over ‖u‖ = 1 is found by search."""

    def second_bound(self, w: Tensor, radius: float) -> float:
        """Return √λ_max(Σ B_i²): ‖(B_i u)_i‖_F² = uᵀ Σ B_i² u."""
        return self._bend

    @once
    def _bend(self) -> float:
        return bend_of(self.b)

    def _tensors(self, w: Tensor) -> tuple[Tensor, Tensor]:
        key = (w.dtype, w.device)
        if key not in self._known:
            self._known[key] = tuple(torch.as_tensor(m).to(w) for m in (self.a, self.b))
        return self._known[key]

    @once
    def _known(self) -> dict:
        return {}


def bend_of(b: np.ndarray) -> float:
    """Return √λ_max(Σ B_i²), an upper bound on Lip(Dh) of the quadratic model with these B."""
    squares = np.einsum("kij,kjl->il", b, b)
    return float(max(np.linalg.eigvalsh(squares)[-1], 0.0) ** 0.5)


def random_quadratic(seed: int, k: int, p: int, bend: float, largest: float) -> ProgramNetwork:
    """Return a quadratic model of k outputs and p weights, drawn from this seed.

    A has random singular vectors and singular values from 1 by equal ratios to `largest`; B is
    Gaussian and symmetric, scaled so that √λ_max(Σ B_i²) = bend.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, k, p]))
    left, _ = np.linalg.qr(rng.standard_normal((k, k)))
    right, _ = np.linalg.qr(rng.standard_normal((p, p)))
    rank = min(k, p)
    values = np.geomspace(1.0, largest, rank)
    b = rng.standard_normal((k, p, p))
    b = b + b.transpose(0, 2, 1)
    return ProgramNetwork(
        Quadratic((left[:, :rank] * values) @ right[:, :rank].T, b * (bend / bend_of(b)))
    )


FARTHEST, LARGEST_BEND = math.asin(math.sqrt(17.0 / 32.0)), 17.0 / 8.0
"""Where sin² w + 4 sin² 2w = 17 s − 16 s² (s = sin² w) is largest, and its root there."""


@dataclass(frozen=True, eq=False)
class Eight:
    """h(w) = (sin w, ½ sin 2w), w (1,)."""

    size: int = 1

    def value(self, w: Tensor) -> Tensor:
        """Return (sin w, ½ sin 2w)."""
        return torch.cat([w.sin(), 0.5 * (2.0 * w).sin()])

    def jacobian(self, w: Tensor) -> Tensor:
        """Return (cos w, cos 2w) as a column."""
        return torch.stack([w.cos(), (2.0 * w).cos()])

    def second_norm(self, w: Tensor) -> float:
        """Return √(sin² w + 4 sin² 2w)."""
        return _bend_at(float(w))

    def second_bound(self, w: Tensor, radius: float) -> float:
        """Return the largest of these within the radius, exactly, for w = 0."""
        reach = abs(float(w)) + radius
        return LARGEST_BEND if reach >= FARTHEST else _bend_at(reach)


def _bend_at(w: float) -> float:
    return math.sqrt(math.sin(w) ** 2 + 4.0 * math.sin(2.0 * w) ** 2)


def figure_eight() -> ProgramNetwork:
    """Return the figure eight as a network."""
    return ProgramNetwork(Eight())
