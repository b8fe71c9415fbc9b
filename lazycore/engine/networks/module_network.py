"""A torch module of ours as a function of one flat vector of its trainable parameters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lazycore.engine.features.linearize import Differentiated, Explicit, Features
from lazycore.engine.features.products import Products
from lazycore.engine.networks import gates
from lazycore.engine.networks.held_module import HeldModule
from lazycore.engine.networks.module_features import layered_features, layers_of
from lazycore.engine.networks.network import Block
from lazycore.machine.once import once

LARGEST_MATRIX = 2**28
"""Bytes up to which a module's Jacobian is kept rather than multiplied anew at each step."""


@dataclass(frozen=True, eq=False)
class ModuleNetwork:
    """A torch module as a function of one flat vector of its trainable parameters.

    smooth: whether the module is twice differentiable in them.
    at_once: points that are passed at once, for a module that is known to be a network of
        convolutions, ReLUs and pools: each output depends on its own point alone. None where
        nothing is known: then all points are passed together.
    draw: (blocks, generator) → initial weights (p,); None for those that the module has.
    """

    module: nn.Module
    smooth: bool = False
    at_once: int | None = None
    draw: Callable[[Sequence[Block], np.random.Generator], np.ndarray] | None = None

    @once
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
        return self._held.blocks

    @once
    def _held(self) -> HeldModule:
        return HeldModule(self.module)

    degree = None  # not looked for

    @property
    def stacked(self) -> bool:
        """A module takes one set of weights at a time."""
        return False

    def displaced(self, w0: Tensor, x: Tensor) -> None:
        """Return None: no way free of cancellation is known for a module."""

    def initial(self, rng: np.random.Generator) -> np.ndarray:
        """Return initial weights: drawn where there is a way to, else the module's present ones."""
        if self.draw is not None:
            return self.draw(self.blocks, rng)
        return self.weights().cpu().numpy()

    def weights(self) -> Tensor:
        """Return the module's present weights as one vector."""
        return self._held.weights()

    def __call__(self, w: Tensor, x: Tensor) -> Tensor:
        """Return the module's outputs (n, k) with the weights w; its own stay as they are."""
        if self.at_once is None or len(x) <= self.at_once:
            return self._pass(w, x)
        return torch.cat([self._pass(w, part) for part in x.split(self.at_once)])

    def _pass(self, w: Tensor, x: Tensor) -> Tensor:
        with self._held.at(self._held.parts(w)) as module:
            outputs = module(x)
        return outputs[:, None] if outputs.ndim == 1 else outputs

    def pullback(self, w: Tensor, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return the outputs and r → Dhᵀ r by reverse-mode differentiation."""
        w = w.detach().requires_grad_()
        outputs = self(w, x)
        return outputs.detach(), lambda r: torch.autograd.grad(outputs, w, grad_outputs=r)[0]

    def features(self, w: Tensor, x: Tensor) -> Features:
        """Return the tangent features: by layers, else by products, or as a small matrix."""
        layered = layered_features(self.module, self.blocks, self._pass, w, x)
        if layered is not None:
            return layered
        if self.at_once is not None:
            return self.products(w, x)
        features = Differentiated(lambda w: self(w, x), w)
        rows = self(w, x).numel()
        if rows * w.numel() * w.element_size() <= LARGEST_MATRIX:
            return Explicit(features.matrix())
        return features

    def products(self, w: Tensor, x: Tensor) -> Products:
        """Return the tangent features by products, for outputs of their own point alone."""
        return Products(self._pass, w, x, self.at_once or len(x))

    def observe(self, w: Tensor, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the outputs, and what each activation module received; plain functions are
        not seen."""
        return gates.observe(self.module, self._pass, w, x)

    def frozen_gates(self, w0: Tensor, w: Tensor, x: Tensor) -> Tensor | None:
        """Return the outputs with weights w and the gates of w0; None where it is not known
        that all but gates is linear."""
        if self.at_once is None:
            return None
        parts = x.split(self.at_once)
        return torch.cat([gates.frozen_gates(self.module, self._pass, w0, w, p) for p in parts])

    def neurons(self, w: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return None: a module's neurons are not known."""

    def second_derivative_norm(self, w: Tensor, x: Tensor) -> float | None:
        """Return None: no structure is known."""

    def second_derivative_bound(self, w: Tensor, x: Tensor, radius: float) -> float | None:
        """Return None: no bound is known."""
