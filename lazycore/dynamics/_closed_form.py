r"""The linearised model under the square loss, at any time at once.

Its coordinates move by s' = −(b + H s) with a constant symmetric H (`_tangent`), so

    s(t) = −φ_t(H) b        φ_t(λ) = (1 − e^{−λt})/λ            gradient flow
                            φ_k(λ) = (1 − (1 − ηλ)^k)/λ         k steps of gradient descent

and one eigendecomposition gives every time. φ is the spectral filter of early stopping;
it tends to t (or kη) as λ → 0, so nothing is divided by a small eigenvalue.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lazycore.dynamics._tangent import FunctionSpace, ParameterSpace

LARGEST_FORM = 3000
"""Coordinates up to which H is formed and decomposed."""


@dataclass(frozen=True, eq=False)
class ClosedForm:
    """Eigenvalues λ (q,) and eigenvectors (size, q) of H, and b in their basis (q,)."""

    space: FunctionSpace | ParameterSpace
    eigenvalues: np.ndarray
    vectors: Tensor
    start: Tensor

    def coordinates(self, filters: np.ndarray) -> Tensor:
        """Return s at T times for filters φ (T, q): shape (T, size)."""
        phi = torch.as_tensor(filters, dtype=self.start.dtype, device=self.start.device)
        dtype = self.space.problem.w0.dtype
        return (-(phi * self.start) @ self.vectors.T).to(dtype)


def closed_form(space: FunctionSpace | ParameterSpace) -> ClosedForm | None:
    """Return the solution for the square loss, or None where the loss or the size forbids it.

    Cost: one symmetric eigendecomposition, O(size³), always in float64.
    """
    problem = space.problem
    if not problem.loss.SPEC.facts["quadratic"] or space.size > LARGEST_FORM:
        return None
    form = space.quadratic_form().double()
    b = space.pull(problem.residual(problem.train.start)).double()
    if form.device.type == "cpu":
        # numpy's LAPACK is two to three times faster here than torch's (measured on AMD).
        values, vectors = (torch.as_tensor(part) for part in np.linalg.eigh(form.numpy()))
    else:
        values, vectors = torch.linalg.eigh(form)
    eigenvalues = values.clamp(min=0.0).cpu().numpy()
    return ClosedForm(space, eigenvalues, vectors, vectors.T @ b)


def flow_filters(eigenvalues: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return φ_t(λ) = (1 − e^{−λt})/λ, shape (T, q)."""
    lt = np.multiply.outer(times, eigenvalues)
    safe = np.where(eigenvalues > 0.0, eigenvalues, 1.0)
    return np.where(eigenvalues > 0.0, -np.expm1(-lt) / safe, times[:, None])


def descent_filters(eigenvalues: np.ndarray, step_size: float, steps: np.ndarray) -> np.ndarray:
    """Return φ_k(λ) = (1 − (1 − ηλ)^k)/λ, shape (T, q); ∞ where the iteration overflows."""
    x = step_size * eigenvalues
    safe = np.where(eigenvalues > 0.0, eigenvalues, 1.0)
    k = steps[:, None].astype(float)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        below = -np.expm1(k * np.log1p(-np.minimum(x, 1.0)))
        above = 1.0 - np.where(k % 2 == 0, 1.0, -1.0) * np.exp(k * np.log(np.abs(1.0 - x)))
        phi = np.where(x < 1.0, below, above) / safe
    phi = np.where(k == 0, 0.0, phi)
    return np.where(eigenvalues > 0.0, phi, k * step_size)


def momentum_filters(
    eigenvalues: np.ndarray, step_size: float, momentum: float, steps: np.ndarray
) -> np.ndarray:
    """Return the filter of v ← μv + g, s ← s − ηv after each of `steps`, shape (T, q).

    φ_{k+1} = φ_k + η β_{k+1} with β_{k+1} = μ β_k + (1 − λ φ_k): the iteration itself, but
    of q independent numbers instead of a model.
    """
    phi, velocity = np.zeros_like(eigenvalues), np.zeros_like(eigenvalues)
    recorded, done = [], 0
    with np.errstate(over="ignore", invalid="ignore"):
        for step in steps:
            for _ in range(int(step) - done):
                velocity = momentum * velocity + 1.0 - eigenvalues * phi
                phi = phi + step_size * velocity
            done = int(step)
            recorded.append(phi)
    return np.stack(recorded)
