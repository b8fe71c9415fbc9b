"""A stabilised explicit Runge–Kutta method for stiff gradient flows.

Runge–Kutta–Chebyshev of order 2: Sommeijer, Shampine & Verwer (1997), "RKC: an explicit
solver for parabolic PDEs", J. Comput. Appl. Math. 88:315–326. With s stages it is stable for
steps of about 0.65 s²/ρ, where ρ is the largest rate of decay, so a step that is k times
longer costs only √k as many gradients. Gradient flow is what it was made for: its rates are
the eigenvalues of a (nearly) symmetric matrix, spread over many decades.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lazycore.engine.steppers.path import Path, Stepper, System, stacked

DAMPING = 2.0 / 13.0
RADIUS_EVERY = 20
"""Accepted steps after which the spectral radius is estimated anew."""
RADIUS_SAFETY = 1.2
LARGEST_STAGES = 500


@lru_cache(maxsize=LARGEST_STAGES)
def coefficients(stages: int) -> tuple[float, tuple[tuple[float, ...], ...]]:
    """Return μ̃_1 and, for j = 2 … s, (μ_j, ν_j, μ̃_j, γ̃_j) of the scheme with s stages."""
    w0 = 1.0 + DAMPING / stages**2
    # T_j, T_j' and T_j'' at w0 by their three-term recurrences.
    t, d, dd = [1.0, w0], [0.0, 1.0], [0.0, 0.0]
    for j in range(2, stages + 1):
        t.append(2.0 * w0 * t[-1] - t[-2])
        d.append(2.0 * t[j - 1] + 2.0 * w0 * d[-1] - d[-2])
        dd.append(4.0 * d[j - 1] + 2.0 * w0 * dd[-1] - dd[-2])
    w1 = d[stages] / dd[stages]
    b = [0.0, 1.0 / w0, *(dd[j] / d[j] ** 2 for j in range(2, stages + 1))]
    b[0] = b[2]
    rows = []
    for j in range(2, stages + 1):
        mu_tilde = 2.0 * b[j] * w1 / b[j - 1]
        a = 1.0 - b[j - 1] * t[j - 1]
        rows.append((2.0 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2], mu_tilde, -a * mu_tilde))
    return b[1] * w1, tuple(rows)


def stages_for(reach: float) -> int:
    """Return the smallest number of stages that is stable for step · ρ = `reach`."""
    return min(LARGEST_STAGES, max(2, 1 + int((1.0 + 1.54 * reach) ** 0.5)))


class Chebyshev(Stepper):
    """Paths of y' = −G(y), advanced by RKC steps; see `Stepper` for the rest.

    Each path has its own number of stages: the ones that need more come first, and the
    others drop out of the stages that they do not have.
    """

    order = 2
    local_share = 0.08

    def _begin(self) -> None:
        gradients = self.system.gradient(self._states(range(len(self.paths))))[0]
        self._count(range(len(self.paths)), 1)
        self._gradients: list[tuple[Tensor, Tensor]] = [(g, g) for g in gradients]
        self._radius = [1.0] * len(self.paths)
        self._direction: list[Tensor | None] = [None] * len(self.paths)
        self._since = [0] * len(self.paths)

    def _ordered(self, rows: list[int]) -> list[int]:
        self._look_at_radii([row for row in rows if self._since[row] == 0])
        stages = dict(zip(rows, self._stages(rows, self._widths(rows)[0]), strict=True))
        return sorted(rows, key=lambda row: -stages[row])

    def _stages(self, rows: Sequence[int], h: Sequence[float]) -> list[int]:
        return [stages_for(h[i] * self._radius[row]) for i, row in enumerate(rows)]

    def _attempt(
        self, system: System, rows: list[int], h: list[float]
    ) -> tuple[Tensor, Tensor, Any]:
        """Return y(t + h), the estimate of its error and what the system knows of it.

        In u_j = y_j − y, whose recursion needs no multiple of y.
        """
        stages = self._stages(rows, h)
        y, g0 = self._states(rows), stacked([self._gradients[row][1] for row in rows])
        width = y.new_tensor(h)[:, None]
        first = y.new_tensor([coefficients(s)[0] for s in stages])[:, None]
        table = y.new_tensor(_padded([coefficients(s)[1] for s in stages]))
        table[:, 2:] *= -width[:, 0]
        before, now = torch.zeros_like(y), g0 * (-first * width)
        final = torch.empty_like(y)
        count = len(rows)
        for j in range(2, stages[0] + 1):
            there = sum(s >= j for s in stages)
            if there < count:
                final[there:count] = now[there:count]
                system, count = system.first(there), there
                y, before, now, g0 = y[:there], before[:there], now[:there], g0[:there]
            gradient = system.gradient(y + now)[0]
            mu, nu, mu_tilde, gamma = table[j - 2, :, :there, None]
            before.mul_(nu).addcmul_(now, mu).addcmul_(gradient, mu_tilde).addcmul_(g0, gamma)
            before, now = now, before
        final[:count] = now
        for row, s in zip(rows, stages, strict=True):
            self.paths[row].evaluations += s
        ends = self._states(rows) + final
        self._ends, known = self._system(rows).gradient(ends)
        slopes = stacked([self._gradients[row][1] for row in rows]) + self._ends
        return ends, final.mul_(-0.8).sub_(slopes.mul_(0.4 * width)), known

    def _rejected(self, row: int) -> None:
        """After a failed step the spectral radius may be to blame: look again."""
        self._since[row] = 0

    def _accepted(self, row: int, i: int) -> None:
        self._gradients[row] = self._gradients[row][1], self._ends[i]
        self._since[row] -= 1

    def _longest(self, row: int) -> float:
        return 0.65 * LARGEST_STAGES**2 / self._radius[row]

    def _floor(self, path: Path) -> float:
        return max(super()._floor(path), path.growth * path.time)

    def _look_at_radii(self, rows: list[int]) -> None:
        """Estimate ρ of these paths from above, by power iteration on differences of G.

        Starts from the direction found last time, so that one or two iterations do.
        """
        if not rows:
            return
        system, norm = self.system.select(rows), torch.linalg.vector_norm
        p = system.head
        y = self._states(rows)[:, :p]
        gradient = stacked([self._gradients[row][1][:p] for row in rows])
        directions = [self._direction[row] for row in rows]
        v = stacked([g if d is None else d for g, d in zip(gradient, directions, strict=True)])
        scale = torch.finfo(y.dtype).eps ** 0.375 * norm(y, dim=1).clamp(min=1e-3)
        found = np.zeros(len(rows))
        for _ in range(20 if p else 0):
            v = v * (scale / norm(v, dim=1).clamp(min=torch.finfo(y.dtype).tiny))[:, None]
            v = system.head_gradient(y + v) - gradient
            self._count(rows, 1)
            previous, found = found, (norm(v, dim=1) / scale).cpu().double().numpy()
            if not np.any(np.abs(found - previous) > 0.02 * found):
                break
        for i, row in enumerate(rows):
            self._since[row] = RADIUS_EVERY
            if np.isfinite(found[i]) and found[i] > 0.0:
                self._direction[row] = v[i]
                self._radius[row] = RADIUS_SAFETY * float(found[i])
            known = float(system.known_radius[i])
            self._radius[row] = max(self._radius[row], known) if p else known

    def _interpolate(self, row: int, x: float) -> Tensor:
        """Return y at a share x of the last step: the cubic with the ends' values and slopes."""
        path = self.paths[row]
        assert path.previous is not None
        (_, old), h = path.previous, path.width
        first, last = self._gradients[row]
        y = torch.lerp(old, path.y, x * x * (3.0 - 2.0 * x))
        y.sub_(first, alpha=h * x * (1.0 - x) ** 2)
        return y.sub_(last, alpha=h * x * x * (x - 1.0))


def _padded(tables: Sequence[tuple[tuple[float, ...], ...]]) -> np.ndarray:
    """Return the coefficients of all paths, (stages, 4, s); zeros where a path has ended."""
    padded = np.zeros((max(map(len, tables)), 4, len(tables)))
    for i, rows in enumerate(tables):
        padded[: len(rows), :, i] = rows
    return padded
