"""A network as functions of one flat parameter vector.

Everything here works on h(w, x): the weights are one vector w of length p, the points a
matrix x of shape (n, d), the outputs a matrix of shape (n, k).
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from lazycore.linearize import Features, Joined


@dataclass(frozen=True)
class Block:
    """A weight matrix inside the flat vector: its layer's name, its shape and where it starts."""

    layer: str
    shape: tuple[int, ...]
    start: int

    @cached_property
    def slice(self) -> slice:
        """The entries of the flat vector that belong to this block."""
        return slice(self.start, self.start + math.prod(self.shape))


class Network(Protocol):
    """What dynamics and metrics need of a model."""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The weight matrices, in the order of the flat vector."""
        ...

    @property
    def smooth(self) -> bool:
        """Whether h is twice differentiable in w, as far as is known."""
        ...

    @property
    def structured(self) -> bool:
        """Whether its tangent features come without a Jacobian, so that kernels are cheap."""
        ...

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Return initial weights (p,) drawn from `rng`."""
        ...

    def __call__(self, w: Tensor, x: Tensor) -> Tensor:
        """Return h(w, x), shape (n, k)."""
        ...

    def pullback(self, w: Tensor, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return h(w, x) and the function r (n, k) → D_w h(w, x)ᵀ r (p,)."""
        ...

    def features(self, w: Tensor, x: Tensor) -> Features:
        """Return the tangent features D_w h(w, x)."""
        ...

    def preactivations(self, w: Tensor, x: Tensor) -> list[Tensor]:
        """Return the inputs of the hidden units, (n, m) per layer; empty if there are none."""
        ...

    def neurons(self, w: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return |a_j| b_j (m, d) and sign a_j (m,) of a two-layer network, else None."""
        ...

    def second_derivative_norm(self, w: Tensor, x: Tensor) -> float | None:
        """Return ‖D²h(w)‖ in L²(ρ̂) where the structure gives it, else None."""
        ...

    def second_derivative_bound(self, w: Tensor, x: Tensor, radius: float) -> float | None:
        """Return a bound on ‖D²h‖ in L²(ρ̂) over the ball round w, or None if none is known."""
        ...


@dataclass(frozen=True)
class Symmetrized:
    """h(w, x) = g(w_a, x) − g(w_b, x) with w_a = w_b at the start.

    The doubling trick of Chizat, Oyallon & Bach (2019, arXiv:1812.07956, §2.1): the output
    is exactly 0 at w0 because both copies are evaluated, and their equal values subtracted.
    """

    copy: Network

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks of the first copy, then those of the second."""
        shift = self._half
        second = (Block(b.layer, b.shape, b.start + shift) for b in self.copy.blocks)
        return (*self.copy.blocks, *second)

    @property
    def smooth(self) -> bool:
        """As smooth as one copy."""
        return self.copy.smooth

    @property
    def structured(self) -> bool:
        """As structured as one copy."""
        return self.copy.structured

    @cached_property
    def _half(self) -> int:
        return self.copy.blocks[-1].slice.stop

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Return the weights of one copy, twice."""
        return np.tile(self.copy.initial(rng), 2)

    def __call__(self, w: Tensor, x: Tensor) -> Tensor:
        """Return g(w_a, x) − g(w_b, x)."""
        a, b = w[: self._half], w[self._half :]
        return self.copy(a, x) - self.copy(b, x)

    def pullback(self, w: Tensor, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return the outputs and r → (Dg(w_a)ᵀ r, −Dg(w_b)ᵀ r)."""
        out_a, pull_a = self.copy.pullback(w[: self._half], x)
        out_b, pull_b = self.copy.pullback(w[self._half :], x)
        return out_a - out_b, lambda r: torch.cat([pull_a(r), pull_b(-r)])

    def features(self, w: Tensor, x: Tensor) -> Features:
        """Return the features (Dg(w_a), −Dg(w_b))."""
        a, b = w[: self._half], w[self._half :]
        return Joined(self.copy.features(a, x), self.copy.features(b, x), split=self._half)

    def preactivations(self, w: Tensor, x: Tensor) -> list[Tensor]:
        """Return both copies' pre-activations side by side, layer by layer."""
        first = self.copy.preactivations(w[: self._half], x)
        second = self.copy.preactivations(w[self._half :], x)
        return [torch.cat(pair, dim=1) for pair in zip(first, second, strict=True)]

    def neurons(self, w: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return both copies' neurons, the second's with opposite output signs."""
        first = self.copy.neurons(w[: self._half])
        second = self.copy.neurons(w[self._half :])
        if first is None or second is None:
            return None
        return torch.cat([first[0], second[0]]), torch.cat([first[1], -second[1]])

    def second_derivative_norm(self, w: Tensor, x: Tensor) -> float | None:
        """Return the larger of the copies' norms: D²h is block diagonal in (w_a, w_b)."""
        return _larger(self.copy.second_derivative_norm(half, x) for half in self._halves(w))

    def second_derivative_bound(self, w: Tensor, x: Tensor, radius: float) -> float | None:
        """Return the larger of the copies' bounds, for the same reason."""
        halves = self._halves(w)
        return _larger(self.copy.second_derivative_bound(half, x, radius) for half in halves)

    def _halves(self, w: Tensor) -> tuple[Tensor, Tensor]:
        return w[: self._half], w[self._half :]


def _larger(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if len(known) == 2 else None
