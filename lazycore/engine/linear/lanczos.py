r"""Functions of a large symmetric matrix times one vector, from a few products with it.

After m steps of Lanczos' method from b, with every vector made orthogonal to all earlier ones,

    K V = V T + β v_{m+1} e_mᵀ,      φ(K) b ≈ V φ(T) ‖b‖ e_1

with a tridiagonal T (m, m), whose eigenvalues are the Ritz values. For the u' = −(b + K u)
of the linearised model, u(t) = −φ_t(K) b, the approximation leaves the residual
ρ(t) v_{m+1} with ρ(t) = β ‖b‖ |e_mᵀ φ_t(T) e_1|. Its direction is fixed, so each component
of the gradient b + K u is off by at most ∫ λ e^{−λ(t−τ)} ρ(τ) dτ |v_i|, and altogether

    ‖error of b + K u at t‖ ≤ max over τ ≤ t of ρ(τ)

and as much for iterations whose filter is damped, 0 ≤ 1 − λφ(λ) ≤ 1. A step η slightly above
1/λ raises it by (1 + δ)/(1 − δ), δ = ηλ − 1: `SLACK` and `OVERSHOOT` are for that.
Saad (1992, SIAM J. Numer. Anal. 29:209); residuals: Botchev, Grimm & Hochbruck (2013,
arXiv:1206.2269).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from lazycore.errors import LazyLabError
from lazycore.machine.blas import numpy_serves

TOLERANCE = 1e-13
"""Error of the gradient, relative to the initial one, that is as good as none."""

EPSILON = float(np.finfo(float).eps)

OVERSHOOT, SLACK = 0.05, 1.25
"""How far below 0 a filter may leave 1 − λφ(λ) to count as damped, and the factor for it."""

FIRST = 32
"""Vectors at which the bound is looked at first; then at one and a half times as many."""

Filters = Callable[[np.ndarray], np.ndarray]
"""Eigenvalues (q,) → filters φ (T, q) at the wanted times."""


@dataclass(eq=False)
class Krylov:
    """The growing Krylov space of `product` and b.

    product: v → K v for a symmetric K without negative eigenvalues; all in float64.
    """

    product: Callable[[Tensor], Tensor]
    b: Tensor
    diagonal: list[float] = field(default_factory=list)
    below: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.norm = float(torch.linalg.vector_norm(self.b))
        self._rows = self.b.new_empty((16, self.b.numel()))
        if self.norm > 0.0:
            self._rows[0] = self.b / self.norm

    @property
    def size(self) -> int:
        """The number m of vectors found."""
        return len(self.diagonal)

    @property
    def exhausted(self) -> bool:
        """Whether the space is invariant, so that what it gives is exact."""
        if self.norm == 0.0 or self.size >= self.b.numel():
            return True
        scale = max(map(abs, self.diagonal + self.below[:-1]), default=0.0)
        return self.size > 0 and self.below[-1] <= EPSILON * self.size * scale

    def grow(self, size: int) -> None:
        """Take steps until there are `size` vectors, or the space is invariant."""
        while self.size < min(size, self.b.numel()) and not self.exhausted:
            m = self.size
            if m + 2 > len(self._rows):
                self._rows = torch.cat([self._rows, torch.empty_like(self._rows)])
            new = self.product(self._rows[m])
            self.diagonal.append(float(self._rows[m] @ new))
            basis = self._rows[: m + 1]
            for _ in range(2):  # one pass leaves an error of ε times what it removed
                new = new - (basis @ new) @ basis
            self.below.append(float(torch.linalg.vector_norm(new)))
            if not self.exhausted:
                self._rows[m + 1] = new / self.below[-1]

    @property
    def vectors(self) -> Tensor:
        """Vᵀ, (m, size)."""
        return self._rows[: self.size]

    def ritz(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the Ritz values (m,), ascending, and the eigenvectors of T (m, m)."""
        tridiagonal = np.diag(self.diagonal) + np.diag(self.below[: self.size - 1], -1)
        values, vectors = np.linalg.eigh(tridiagonal)
        return values.clip(min=0.0), vectors

    def spectrum(self) -> "Spectrum":
        """Return what filters are applied to."""
        values, turned = self.ritz()
        if self.size == 0:
            return Spectrum(values, values, values)
        beta = 0.0 if self.exhausted else self.below[-1]
        return Spectrum(values, self.norm * turned[0], beta * turned[-1] / max(self.norm, 1e-300))


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Ritz values (m,), b in the Ritz basis, and β (last component) / ‖b‖ of each Ritz vector."""

    values: np.ndarray
    start: np.ndarray
    last: np.ndarray

    def truncation(self, filters: np.ndarray) -> np.ndarray:
        """Return, per time, the bound above relative to ‖b‖, (T,).

        ∞ from the first time on at which the filter is not damped.
        """
        with np.errstate(invalid="ignore", over="ignore"):
            left = 1.0 - filters * self.values
            damped = ((left >= -OVERSHOOT) & (left <= 1.0 + 1e-9)).all(axis=1)
            rho = SLACK * np.abs(filters @ (self.last * self.start))
        return np.maximum.accumulate(np.where(damped, rho, np.inf))

    def rounding(self, filters: np.ndarray, epsilon: float) -> np.ndarray:
        """Return, per time, what rounding K to a relative `epsilon` may do, relative to ‖b‖."""
        largest = self.values.max(initial=0.0)
        return 4.0 * epsilon * (1.0 + largest * filters.max(axis=1, initial=0.0))


def krylov_space(
    product: Callable[[Tensor], Tensor], b: Tensor, filters: Filters, most: int
) -> Krylov | None:
    """Return a Krylov space that is large enough for these filters, or None if `most` is not.

    Large enough: the bound is below `TOLERANCE`, or a tenth of what rounding does, at every
    time. A quarter more vectors are added then: the error falls faster than geometrically.
    """
    space, size = Krylov(product, b), FIRST
    while True:
        space.grow(min(size, most))
        spectrum = space.spectrum()
        phi = filters(spectrum.values)
        allowed = np.maximum(TOLERANCE, 0.1 * spectrum.rounding(phi, EPSILON))
        if (spectrum.truncation(phi) <= allowed).all():
            space.grow(space.size + space.size // 4)
            return space
        if space.exhausted or size >= most:
            return None
        size += size // 2


def eigenvectors(form: Tensor) -> tuple[Tensor, Tensor]:
    """Return the eigenvalues (q,), ascending, and eigenvectors (q, q) of a symmetric matrix.

    Raises `LazyLabError` for one that is not finite.
    """
    if not torch.isfinite(form).all():
        raise LazyLabError(
            "The tangent kernel at the initial weights is not finite: lower init_scale."
        )
    if numpy_serves(form):
        values, vectors = np.linalg.eigh(form.numpy())
        return torch.from_numpy(values), torch.from_numpy(vectors)
    return torch.linalg.eigh(form)
