"""A network as functions of one flat parameter vector.

Everything here works on h(w, x): the weights are one vector w of length p, the points a
matrix x of shape (n, d), the outputs a matrix of shape (n, k). Networks that are `stacked`
take lanes too: w (s, p) gives (s, n, k), over the same points or over x (s, n, d).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from lazycore.engine.features.linearize import Features
from lazycore.machine.once import once

Scale = float | Tensor
"""A factor: one number, or one for each lane, (s, 1)."""


@dataclass(frozen=True)
class Block:
    """A weight matrix inside the flat vector: its layer's name, its shape and where it starts."""

    layer: str
    shape: tuple[int, ...]
    start: int

    @once
    def slice(self) -> slice:
        """The entries of the flat vector that belong to this block."""
        return slice(self.start, self.start + math.prod(self.shape))


class Change(Protocol):
    """The map dw → h(w0 + dw, x) − h(w0, x) for fixed w0 and x; dw is given as c · v."""

    def __call__(self, v: Tensor, c: Scale) -> Tensor:
        """Return the change of the outputs, (n, k)."""
        ...

    def pullback(self, v: Tensor, c: Scale) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return the change, and r → D_w h(w0 + dw, x)ᵀ r."""
        ...

    def observe(self, v: Tensor, c: Scale) -> tuple[Tensor, list[Tensor]]:
        """Return the change, and the inputs of the hidden units, (n, m) per layer."""
        ...

    def select(self, lanes: Tensor | slice) -> "Change":
        """Return the same for some of the lanes only."""
        ...


@dataclass(frozen=True, eq=False)
class Difference:
    """The change as the difference of two passes: exact but for the rounding of each."""

    network: "Network"
    w0: Tensor
    x: Tensor
    before: Tensor

    def __call__(self, v: Tensor, c: Scale) -> Tensor:
        """Return h(w0 + c v) − h(w0)."""
        return self.network(self._weights(v, c), self.x) - self.before

    def pullback(self, v: Tensor, c: Scale) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return the same, and r → Dh(w0 + c v)ᵀ r."""
        outputs, pull = self.network.pullback(self._weights(v, c), self.x)
        return outputs - self.before, pull

    def observe(self, v: Tensor, c: Scale) -> tuple[Tensor, list[Tensor]]:
        """Return the same as a call, and the inputs of the hidden units."""
        outputs, hidden = self.network.observe(self._weights(v, c), self.x)
        return outputs - self.before, hidden

    def _weights(self, v: Tensor, c: Scale) -> Tensor:
        if isinstance(c, Tensor):
            return torch.addcmul(self.w0, v, c)
        return torch.add(self.w0, v, alpha=c)

    def select(self, lanes: Tensor | slice) -> "Difference":
        """Return the same for some of the lanes only."""
        return Difference(self.network, self.w0[lanes], of_lanes(self.x, lanes), self.before[lanes])


def of_lanes(values: Tensor, lanes: Tensor | slice) -> Tensor:
    """Return the part of these lanes, (s, …, …); a matrix is shared by all."""
    return values if values.ndim == 2 else values[lanes]


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

    @property
    def stacked(self) -> bool:
        """Whether h takes the weights of many lanes at once."""
        ...

    @property
    def degree(self) -> int | None:
        """L where h(c w, x) = c^L h(w, x) for every c > 0, else None (or not known)."""
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

    def displaced(self, w0: Tensor, x: Tensor) -> Change | None:
        """Return dw → h(w0 + dw, x) − h(w0, x) free of cancellation, if a way is known."""
        ...

    def features(self, w: Tensor, x: Tensor) -> Features:
        """Return the tangent features D_w h(w, x)."""
        ...

    def observe(self, w: Tensor, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return h(w, x) and the inputs of the hidden units, (n, m) per layer, of one pass;
        none of these where they are not known."""
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
