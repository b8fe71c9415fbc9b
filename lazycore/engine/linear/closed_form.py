r"""The linearised model under the square loss, at any time at once.

Its coordinates move by s' = −(b + H s) with a constant symmetric H (`_tangent`), so

    s(t) = −φ_t(H) b        φ_t(λ) = (1 − e^{−λt})/λ            gradient flow
                            φ_k(λ) = (1 − (1 − ηλ)^k)/λ         k steps of gradient descent

and one eigendecomposition gives every time. φ is the spectral filter of early stopping;
it tends to t (or kη) as λ → 0, so nothing is divided by a small eigenvalue.

Where that decomposition is dear, a Krylov space (`_lanczos`) gives as much: H = A K' with
K' = outputs, A = pull and K = K' A/n, the kernel, so that φ(H) A r = A φ(K) r. It lives on
the outputs, whatever the coordinates, and is begun from their initial gradient r.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from lazycore.engine.linear.lanczos import Filters, Spectrum, eigenvectors, krylov_space
from lazycore.engine.linear.tangent import FunctionSpace, ParameterSpace
from lazycore.engine.problem.anchor import Anchor
from lazycore.machine.blas import product
from lazycore.theory.filters import descent_filters as descent_filters

LARGEST_FORM = 3000
"""Coordinates up to which H is formed and decomposed."""

LARGEST_FORMED = 6000
"""Outputs up to which the kernel is formed for Krylov vectors, and decomposed after all where
they are too few: up to a minute."""

SMALLEST_KRYLOV = 500
"""Coordinates up to which a decomposition is had before a Krylov space has been tried."""

KRYLOV_SHARE = 6
"""One vector per so many coordinates costs a third to two thirds of the decomposition."""

LARGEST_KRYLOV, LARGEST_BASIS = 2000, 2**30
"""Vectors, and bytes of them, where there is no decomposition to fall back to."""

_known: WeakKeyDictionary[Anchor, tuple[Tensor, Tensor]] = WeakKeyDictionary()
"""The decompositions at hand: H knows neither α nor the targets, so many runs share one."""


@dataclass(frozen=True, eq=False)
class ClosedForm:
    """Eigenvalues λ (q,) and eigenvectors (size, q) of H, and b in their basis (q,)."""

    space: FunctionSpace | ParameterSpace
    eigenvalues: np.ndarray
    vectors: Tensor
    start: Tensor

    def coordinates(self, filters: np.ndarray) -> Tensor:
        """Return s at T times for filters φ (T, q): shape (T, size)."""
        dtype = self.space.dtype
        return -_combined(self.start, self.vectors, filters).to(dtype)

    def changes(self, rows: Tensor, filters: np.ndarray) -> Tensor:
        """Return αh̄ − αh(w0) on any points at T times, (T, n'·k).

        rows: what outputs are of coordinates there: Θ(x', x) (n'·k, n·k) in function space,
            J(x') (n'·k, p) in parameter space.
        """
        dtype = self.space.dtype
        return -_combined(self.start, product(rows.double(), self.vectors), filters).to(dtype)

    def residual(self, filters: np.ndarray) -> np.ndarray:
        """Return, per time, a bound on the error of ∇R relative to the initial ∇R: rounding."""
        spectrum = Spectrum(self.eigenvalues, self.start.cpu().numpy(), 0.0 * self.eigenvalues)
        return spectrum.rounding(filters, _epsilon(self.space))


@dataclass(frozen=True, eq=False)
class OutputForm:
    """The same from Ritz values λ (q,) and vectors (n·k, q) of the kernel K on the outputs.

    start: ∇R at the start in their basis. spectrum: what the truncation is bounded with.
    """

    space: FunctionSpace | ParameterSpace
    eigenvalues: np.ndarray
    vectors: Tensor
    start: Tensor
    spectrum: Spectrum

    def coordinates(self, filters: np.ndarray) -> Tensor:
        """Return s at T times for filters φ (T, q): shape (T, size)."""
        return torch.stack(list(self.positions(filters)))

    def positions(self, filters: np.ndarray) -> Iterator[Tensor]:
        """Yield s at each of the T times: one at a time where p coordinates are many."""
        problem = self.space.problem
        combined = _combined(self.start, self.vectors, filters).to(self.space.dtype)
        for u in combined:
            yield -self.space.pull(u.view(problem.targets.shape))

    def changes(self, rows: Tensor, filters: np.ndarray) -> Tensor:
        """Return αh̄ − αh(w0) on any points at T times, (T, n'·k), from rows = Θ(x', x)."""
        dtype = self.space.dtype
        return -_combined(self.start, product(rows.double(), self.vectors), filters).to(dtype)

    def residual(self, filters: np.ndarray) -> np.ndarray:
        """Return, per time, a bound on the error of ∇R relative to the initial ∇R.

        The error of the outputs αh̄ in L²(ρ̂), relative to that of αh(w0) − y, is the same.
        """
        rounding = self.spectrum.rounding(filters, _epsilon(self.space))
        return self.spectrum.truncation(filters) + rounding


def closed_form(
    space: FunctionSpace | ParameterSpace, filters: Filters | None = None
) -> ClosedForm | OutputForm | None:
    """Return the solution for the square loss, or None where the loss or the size forbids it.

    filters: λ (q,) → φ (T, q) at the times that will be asked for. With them a Krylov space
    is tried first where it may be cheaper than decomposing H, and where H is too large to
    decompose. What is left of its error is below `TOLERANCE` of `_lanczos`, or the
    decomposition is had after all; `residual` bounds it. Without them: H is decomposed.

    Cost: one symmetric eigendecomposition, O(size³), or some hundred products with the
    kernel; always in float64.
    """
    if not space.problem.loss.SPEC.facts["quadratic"]:
        return None
    decomposes = space.size <= LARGEST_FORM
    if filters is None or space.size <= min(SMALLEST_KRYLOV, LARGEST_FORM):
        return _decomposed(space) if decomposes else None
    outputs = space.problem.targets.numel()
    most = space.size // KRYLOV_SHARE if decomposes else LARGEST_KRYLOV
    kernel = _kernel(space)
    most = min(most, outputs, LARGEST_BASIS // (8 * outputs))
    solution = _from_krylov(space, kernel, filters, most)
    if solution is not None:
        return solution
    if decomposes:
        return _decomposed(space)
    return None if kernel is None else _from_kernel(space, kernel)


def _decomposed(space: FunctionSpace | ParameterSpace) -> ClosedForm:
    b, anchor = space.pull(_gradient(space)).double(), space.problem.train.anchor
    base, square = anchor.base or anchor, anchor.factor**2
    known = _known.get(base)
    if known is None or len(known[0]) != space.size:
        values, vectors = eigenvectors(space.quadratic_form().double())
        known = _known[base] = values.clamp(min=0.0) / square, vectors
    values, vectors = known
    return ClosedForm(space, (square * values).cpu().numpy(), vectors, vectors.T @ b)


def _kernel(space: FunctionSpace | ParameterSpace) -> Tensor | None:
    """Return K = Θ/n as a matrix where it is there, or cheaper to multiply with than J twice."""
    problem = space.problem
    if isinstance(space, FunctionSpace):
        return space.quadratic_form().double()
    size = problem.targets.numel()
    if size > min(LARGEST_FORMED, 2 * problem.w0.numel()):
        return None
    kernel = problem.train.features.kernel().reshape(size, size)
    return kernel.double().div_(len(problem.train))


def _from_krylov(
    space: FunctionSpace | ParameterSpace, kernel: Tensor | None, filters: Filters, most: int
) -> OutputForm | None:
    problem = space.problem
    shape, n, dtype = problem.targets.shape, len(problem.train), space.dtype

    def product(u: Tensor) -> Tensor:
        if kernel is not None:
            return kernel @ u
        return space.outputs(space.pull(u.to(dtype).view(shape))).reshape(-1).double() / n

    found = krylov_space(product, _gradient(space).reshape(-1).double(), filters, most)
    if found is None:
        return None
    _, turned = found.ritz()
    spectrum = found.spectrum()
    start = torch.as_tensor(spectrum.start).to(problem.w0.device)
    vectors = found.vectors.T @ torch.as_tensor(turned).to(problem.w0.device)
    return OutputForm(space, spectrum.values, vectors, start, spectrum)


def _from_kernel(space: FunctionSpace | ParameterSpace, kernel: Tensor) -> OutputForm:
    values, vectors = eigenvectors(kernel)
    eigenvalues = values.clamp(min=0.0).cpu().numpy()
    start = vectors.T @ _gradient(space).reshape(-1).double()
    spectrum = Spectrum(eigenvalues, start.cpu().numpy(), 0.0 * eigenvalues)
    return OutputForm(space, eigenvalues, vectors, start, spectrum)


def _gradient(space: FunctionSpace | ParameterSpace) -> Tensor:
    problem = space.problem
    return problem.residual(problem.train.start).to(space.dtype)


def _combined(start: Tensor, vectors: Tensor, filters: np.ndarray) -> Tensor:
    """Return φ(·) b at T times, (T, size)."""
    phi = torch.as_tensor(filters, dtype=start.dtype, device=start.device)
    return product(phi * start, vectors.T)


def _epsilon(space: FunctionSpace | ParameterSpace) -> float:
    return torch.finfo(space.dtype).eps


def flow_filters(eigenvalues: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return φ_t(λ) = (1 − e^{−λt})/λ, shape (T, q)."""
    lt = np.multiply.outer(times, eigenvalues)
    safe = np.where(eigenvalues > 0.0, eigenvalues, 1.0)
    return np.where(eigenvalues > 0.0, -np.expm1(-lt) / safe, times[:, None])


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
