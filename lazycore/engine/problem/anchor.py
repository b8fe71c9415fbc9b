"""A network at its initial weights, on a set of points: all that knows neither α nor targets.

Runs that differ in α alone share one of these, and with it the tangent
features and their kernel.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from lazycore.config.cost import LARGEST_KERNEL
from lazycore.engine.features.features import Features
from lazycore.engine.features.kernel import layer_kernels, tangent_kernel
from lazycore.engine.features.products import is_slow
from lazycore.engine.networks.network import Change, Difference, Network
from lazycore.machine.once import once


@dataclass(frozen=True, eq=False)
class Anchor:
    """The network, w0 (p,) and x (n, …).

    base: another anchor on the same points whose Jacobian, times `factor`, is this one's; then
    what is dear of the kernel is formed once for both.
    """

    network: Network
    w0: Tensor
    x: Tensor
    base: "Anchor | None" = None
    factor: float = 1.0

    def times_as_large(self, network: Network, w0: Tensor, scale: float) -> "Anchor":
        """Return the anchor at w0 = scale · (these weights), of a homogeneous network.

        Where h(c w) = c^L h(w), Dh(c w) = c^(L−1) Dh(w).
        """
        assert network.degree is not None
        factor = self.factor * scale ** (network.degree - 1)
        return Anchor(network, w0, self.x, self.base or self, factor)

    @once
    def outputs(self) -> Tensor:
        """h(w0, x), (n, k)."""
        return self.network(self.w0, self.x)

    @once
    def displaced(self) -> Change | None:
        """The change of h free of cancellation, where float64 does not do without it."""
        if self.w0.dtype == torch.float64:
            return None
        return self.network.displaced(self.w0, self.x)

    @once
    def change(self) -> Change:
        """dw → h(w0 + dw, x) − h(w0, x)."""
        return self.displaced or Difference(self.network, self.w0, self.x, self.outputs)

    def select(self, points: Tensor) -> "Anchor":
        """Return the same on the points with these indices."""
        anchor = Anchor(self.network, self.w0, self.x[points])
        anchor.__dict__["outputs"] = self.outputs[points]
        return anchor

    @once
    def features(self) -> Features:
        """The tangent features D_w h(w0, x), in float64 whatever the network is trained in:
        what is linear is had once, and errors of a kernel grow with time."""
        if self.network.stacked:
            return self.network.features(self.w0.double(), self.x.double())
        return self.network.features(self.w0, self.x)

    @once
    def layer_kernels(self) -> dict[str, Tensor]:
        """Θ₀ of every layer by its name, (n·k, n·k) each."""
        if self.base is not None:
            return {n: self.factor**2 * part for n, part in self.base.layer_kernels.items()}
        return layer_kernels(self.features)

    @once
    def kernel(self) -> Tensor:
        """Θ₀ as a matrix (n·k, n·k)."""
        if self.base is not None:
            return self.factor**2 * self.base.kernel
        return torch.stack(list(self.layer_kernels.values())).sum(0)

    def kernel_with(self, other: "Anchor") -> Tensor:
        """Return Θ₀ between these points and those of another anchor, (n·k, n'·k)."""
        if other not in self._with:
            if self.base is not None and other.base is not None:
                kernel = self.factor * other.factor * self.base.kernel_with(other.base)
            else:
                kernel = tangent_kernel(self.features, other.features)
            self._with[other] = kernel
        return self._with[other]

    @once
    def _with(self) -> "WeakKeyDictionary[Anchor, Tensor]":
        return WeakKeyDictionary()

    @once
    def largest_eigenvalue(self) -> float:
        """λ_max of Θ₀/n: the square of ‖Dh(w0)‖ in L²(ρ̂).

        By power iteration on JᵀJ/n until it moves by less than 1e-10, from a fixed start; by
        Lanczos' method where each product with J takes passes.
        """
        rng = np.random.default_rng(0)
        n = len(self.x)
        if is_slow(self.features):
            return self._largest_by_lanczos() / n
        v = torch.as_tensor(rng.standard_normal(self.w0.shape)).to(self.features.like)
        previous = 0.0
        for _ in range(1000):
            v = v / torch.linalg.vector_norm(v)
            v = self.features.adjoint(self.features.apply(v)) / n
            value = float(torch.linalg.vector_norm(v))
            if value == 0.0 or abs(value - previous) <= 1e-10 * value:
                break
            previous = value
        return value

    def _largest_by_lanczos(self) -> float:
        """Return the largest eigenvalue of JJᵀ; from the kernel where training will form it."""
        features = self.features
        outputs = math.prod(features.shape[:2])
        if outputs <= LARGEST_KERNEL:
            kernel = self.kernel
            return largest_ritz_value(lambda v: kernel @ v, outputs, kernel)
        p = features.shape[2]
        return largest_ritz_value(lambda v: features.adjoint(features.apply(v)), p, features.like)


def largest_ritz_value(
    product: Callable[[Tensor], Tensor], size: int, like: Tensor, most: int = 200
) -> float:
    """Return the largest eigenvalue of a symmetric matrix, from at most so many Krylov vectors.

    product: v (size,) → its product with the matrix, in the dtype of `like`. The vectors are kept
    orthogonal; ended once the value moves by less than 1e-10. A value from below.
    Cost: a product for each vector, some tens of them.
    """
    start = torch.as_tensor(np.random.default_rng(0).standard_normal(size)).to(like)
    basis = [start / torch.linalg.vector_norm(start)]
    diagonal, beside, value = [], [], 0.0
    while len(basis) <= min(most, size):
        image = product(basis[-1])
        diagonal.append(float(image @ basis[-1]))
        tridiagonal = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        before, value = value, float(np.linalg.eigvalsh(tridiagonal)[-1])
        space = torch.stack(basis)
        for _ in range(2):  # once is not orthogonal to rounding
            image = image - space.T @ (space @ image)
        length = float(torch.linalg.vector_norm(image))
        if value - before <= 1e-10 * value or length <= 1e-12 * value:
            break
        beside.append(length)
        basis.append(image / length)
    return max(value, 0.0)
