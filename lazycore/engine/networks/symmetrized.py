"""Two copies of a network, subtracted: the output is exactly 0 at w0."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lazycore.engine.features.linearize import Features, Joined
from lazycore.engine.networks.network import Block, Change, Network, Scale
from lazycore.machine.once import once


@dataclass(frozen=True)
class Symmetrized:
    """h(w, x) = g(w_a, x) − g(w_b, x) with w_a = w_b at the start.

    The doubling trick of Chizat, Oyallon & Bach (2019, arXiv:1812.07956, §2.1): both copies are
    evaluated and subtracted, and the output is exactly 0 at w0.
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

    @property
    def stacked(self) -> bool:
        """As one copy."""
        return self.copy.stacked

    @property
    def degree(self) -> int | None:
        """As one copy."""
        return self.copy.degree

    @once
    def _half(self) -> int:
        return self.copy.blocks[-1].slice.stop

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Return the weights of one copy, twice."""
        return np.tile(self.copy.initial(rng), 2)

    def __call__(self, w: Tensor, x: Tensor) -> Tensor:
        """Return g(w_a, x) − g(w_b, x)."""
        if self._goes_together(x):
            return self._zeroed(w, *self.copy(self._both(w), x))
        return self._zeroed(w, *(self.copy(half, x) for half in self._both(w)))

    def pullback(self, w: Tensor, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return the outputs, to rounding, and r → (Dg(w_a)ᵀ r, −Dg(w_b)ᵀ r)."""
        if self._goes_together(x):
            (out_a, out_b), pull = self.copy.pullback(self._both(w), x)
            return out_a - out_b, lambda r: pull(torch.stack([r, -r])).movedim(0, -2).flatten(-2)
        (out_a, pull_a), (out_b, pull_b) = (self.copy.pullback(half, x) for half in self._both(w))
        return out_a - out_b, lambda r: torch.cat([pull_a(r), pull_b(-r)], dim=-1)

    def displaced(self, w0: Tensor, x: Tensor) -> "SymmetrizedChange | None":
        """Return the difference of both copies' changes."""
        first, second = (self.copy.displaced(half, x) for half in self._both(w0))
        if first is None or second is None:
            return None
        return SymmetrizedChange(first, second, self._half)

    def features(self, w: Tensor, x: Tensor) -> Features:
        """Return the features (Dg(w_a), −Dg(w_b))."""
        a, b = w[: self._half], w[self._half :]
        return Joined(self.copy.features(a, x), self.copy.features(b, x), split=self._half)

    def observe(self, w: Tensor, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the outputs, and both copies' hidden units side by side, layer by layer."""
        if self._goes_together(x):
            outputs, hidden = self.copy.observe(self._both(w), x)
            return self._zeroed(w, *outputs), [torch.cat([*both], dim=-1) for both in hidden]
        (out_a, first), (out_b, second) = (self.copy.observe(half, x) for half in self._both(w))
        return self._zeroed(w, out_a, out_b), _beside(first, second)

    def neurons(self, w: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return both copies' neurons, the second's with opposite output signs."""
        first = self.copy.neurons(w[: self._half])
        second = self.copy.neurons(w[self._half :])
        if first is None or second is None:
            return None
        return torch.cat([first[0], second[0]]), torch.cat([first[1], -second[1]])

    def second_derivative_norm(self, w: Tensor, x: Tensor) -> float | None:
        """Return the larger of the copies' norms: D²h is block diagonal in (w_a, w_b)."""
        return _larger(self.copy.second_derivative_norm(half, x) for half in self._both(w))

    def second_derivative_bound(self, w: Tensor, x: Tensor, radius: float) -> float | None:
        """Return the larger of the copies' bounds, for the same reason."""
        halves = self._both(w)
        return _larger(self.copy.second_derivative_bound(half, x, radius) for half in halves)

    def _goes_together(self, x: Tensor) -> bool:
        """Whether both copies go through one pass: over points that all lanes share."""
        return self.stacked and x.ndim == 2

    def _both(self, w: Tensor) -> Tensor:
        """Return the weights of both copies as those of lanes, (2, …, p/2)."""
        return w.unflatten(-1, (2, self._half)).movedim(-2, 0)

    def _zeroed(self, w: Tensor, a: Tensor, b: Tensor) -> Tensor:
        """Return a − b, exactly 0 where the weights are the same: products of equal numbers
        need not be equal to the last bit. Derivatives stay what they are."""
        apart, (first, second) = a - b, self._both(w)
        same = (first == second).all(-1)[..., None, None]
        return apart - torch.where(same, apart.detach(), 0.0)


@dataclass(frozen=True, eq=False)
class SymmetrizedChange:
    """The change of g(w_a, x) − g(w_b, x), from both copies' own."""

    first: Change
    second: Change
    half: int

    def __call__(self, v: Tensor, c: Scale) -> Tensor:
        """Return the change of the first copy minus that of the second."""
        return self.first(v[..., : self.half], c) - self.second(v[..., self.half :], c)

    def pullback(self, v: Tensor, c: Scale) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return the same, and r → Dhᵀ r."""
        out_a, pull_a = self.first.pullback(v[..., : self.half], c)
        out_b, pull_b = self.second.pullback(v[..., self.half :], c)
        return out_a - out_b, lambda r: torch.cat([pull_a(r), pull_b(-r)], dim=-1)

    def observe(self, v: Tensor, c: Scale) -> tuple[Tensor, list[Tensor]]:
        """Return the change, and both copies' hidden units side by side."""
        out_a, first = self.first.observe(v[..., : self.half], c)
        out_b, second = self.second.observe(v[..., self.half :], c)
        return out_a - out_b, _beside(first, second)

    def select(self, lanes: Tensor | slice) -> "SymmetrizedChange":
        """Return the same for some of the lanes only."""
        return SymmetrizedChange(self.first.select(lanes), self.second.select(lanes), self.half)


def _beside(first: list[Tensor], second: list[Tensor]) -> list[Tensor]:
    return [torch.cat(pair, dim=-1) for pair in zip(first, second, strict=True)]


def _larger(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if len(known) == 2 else None
