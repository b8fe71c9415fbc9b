"""Any torch module as a function of one flat vector of its trainable parameters."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from lazycore.linearize import Differentiated, Explicit, Features
from lazycore.module_features import layered_features, layers_of
from lazycore.network import Block

LARGEST_MATRIX = 2**28
"""Bytes up to which a module's Jacobian is kept rather than multiplied anew at each step."""


@dataclass(frozen=True, eq=False)
class ModuleNetwork:
    """A torch module as a function of one flat vector of its trainable parameters."""

    module: nn.Module
    smooth: bool = False

    @cached_property
    def _structured(self) -> bool:
        owners = {id(p) for layer in layers_of(self.module).values() for p in layer.parameters()}
        return all(id(p) in owners for p in self.module.parameters() if p.requires_grad)

    @property
    def structured(self) -> bool:
        """Whether every parameter is a weight or bias of a dense or convolutional layer."""
        return self._structured

    @property
    def blocks(self) -> tuple[Block, ...]:
        """One block per trainable parameter, under its own name."""
        return self._blocks

    @cached_property
    def _blocks(self) -> tuple[Block, ...]:
        blocks, start = [], 0
        for name, parameter in self.module.named_parameters():
            if parameter.requires_grad:
                blocks.append(Block(name, tuple(parameter.shape), start))
                start = blocks[-1].slice.stop
        return tuple(blocks)

    @cached_property
    def _buffers(self) -> dict[str, Tensor]:
        frozen = {k: p for k, p in self.module.named_parameters() if not p.requires_grad}
        return {
            k: v.detach().clone() for k, v in (frozen | dict(self.module.named_buffers())).items()
        }

    @property
    def stacked(self) -> bool:
        """A module takes one set of weights at a time."""
        return False

    def displaced(self, w0: Tensor, x: Tensor) -> None:
        """Return None: no way free of cancellation is known for a module."""

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Return the module's present weights; nothing is drawn."""
        return self.weights().cpu().numpy()

    def weights(self) -> Tensor:
        """Return the module's present weights as one vector."""
        trained = [p for p in self.module.parameters() if p.requires_grad]
        return torch.cat([p.detach().reshape(-1) for p in trained])

    def __call__(self, w: Tensor, x: Tensor) -> Tensor:
        """Return the module's outputs (n, k) with the weights w; its own stay as they are."""
        named = {b.layer: w[b.slice].view(b.shape) for b in self.blocks}
        out = torch.func.functional_call(self.module, named | self._buffers, (x,))
        if not isinstance(out, Tensor):
            raise TypeError(f"its output is a {type(out).__name__}, not a tensor.")
        return out[:, None] if out.ndim == 1 else out

    def pullback(self, w: Tensor, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return the outputs and r → Dhᵀ r by reverse-mode differentiation."""
        w = w.detach().requires_grad_()
        outputs = self(w, x)
        return outputs.detach(), lambda r: torch.autograd.grad(outputs, w, grad_outputs=r)[0]

    def features(self, w: Tensor, x: Tensor) -> Features:
        """Return the tangent features: by layers, else as a matrix small enough to keep."""
        layered = layered_features(self.module, self.blocks, self, w, x)
        if layered is not None:
            return layered
        features = Differentiated(lambda w: self(w, x), w)
        rows = self(w, x).numel()
        if rows * w.numel() * w.element_size() <= LARGEST_MATRIX:
            return Explicit(features.matrix())
        return features

    def observe(self, w: Tensor, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the outputs, and nothing: a module's hidden units are not known."""
        return self(w, x), []

    def neurons(self, w: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return None: a module's neurons are not known."""

    def second_derivative_norm(self, w: Tensor, x: Tensor) -> float | None:
        """Return None: no structure is known."""

    def second_derivative_bound(self, w: Tensor, x: Tensor, radius: float) -> float | None:
        """Return None: no bound is known."""
