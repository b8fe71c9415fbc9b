"""Any differentiable function h(w, x) in the place of a network: derivatives by torch.func."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lazycore.engine.features.linearize import Explicit
from lazycore.engine.networks.network import Block


@dataclass(frozen=True, eq=False)
class FunctionNetwork:
    """A twice differentiable function as a `lazycore.engine.networks.network.Network`.

    function: (w (p,), x (n, d)) → h(w, x) (n, k), made of operations that torch differentiates.
    parts: the blocks of w. draw: generator → initial weights (p,).
    bend: x → ‖D²h‖ in L²(ρ̂) where it is the same at every w and known; else None.

    >>> wave = FunctionNetwork(
    ...     function=lambda w, x: (x * w).sin(),
    ...     parts=(Block("frequency", (1,), 0),),
    ...     draw=lambda rng: rng.standard_normal(1),
    ... )
    >>> wave.features(torch.zeros(1), torch.tensor([[1.0], [2.0]])).jacobian.flatten()
    tensor([1., 2.])
    """

    function: Callable[[Tensor, Tensor], Tensor]
    parts: tuple[Block, ...]
    draw: Callable[[np.random.Generator], np.ndarray]
    bend: Callable[[Tensor], float] | None = None
    smooth: bool = True
    structured: bool = True
    stacked: bool = False
    degree: int | None = None

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The parts."""
        return self.parts

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Return initial weights drawn from `rng`."""
        return self.draw(rng)

    def __call__(self, w: Tensor, x: Tensor) -> Tensor:
        """Return h(w, x)."""
        return self.function(w, x)

    def pullback(self, w: Tensor, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return h(w, x) and r → Dhᵀ r by reverse-mode differentiation."""
        w = w.detach().requires_grad_()
        outputs = self.function(w, x)
        return outputs.detach(), lambda r: torch.autograd.grad(outputs, w, grad_outputs=r)[0]

    def displaced(self, w0: Tensor, x: Tensor) -> None:
        """Return None: no way free of cancellation is known for any function."""

    def features(self, w: Tensor, x: Tensor) -> Explicit:
        """Return Dh(w, x) as a matrix: column by column where there are few weights, else row
        by row."""
        w = w.detach()
        rows = self.function(w, x).numel()
        derivative = torch.func.jacfwd if w.numel() < rows else torch.func.jacrev
        return Explicit(derivative(lambda u: self.function(u, x))(w))

    def observe(self, w: Tensor, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the outputs; there are no hidden units."""
        return self.function(w, x), []

    def neurons(self, w: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return None: there are none."""

    def second_derivative_norm(self, w: Tensor, x: Tensor) -> float | None:
        """Return ‖D²h‖ where it is known."""
        return self.bend(x) if self.bend else None

    def second_derivative_bound(self, w: Tensor, x: Tensor, radius: float) -> float | None:
        """Return the same: it does not depend on w."""
        return self.bend(x) if self.bend else None
