"""A stabilised explicit Runge–Kutta method for stiff gradient flows.

Runge–Kutta–Chebyshev of order 2: Sommeijer, Shampine & Verwer (1997), "RKC: an explicit
solver for parabolic PDEs", J. Comput. Appl. Math. 88:315–326. With s stages it is stable for
steps of about 0.65 s²/ρ, where ρ is the largest rate of decay, so a step that is k times
longer costs only √k as many gradients. Gradient flow is what it was made for: its rates are
the eigenvalues of a (nearly) symmetric matrix, spread over many decades.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor

from lazycore.dynamics._steps import Controlled

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


@dataclass(eq=False)
class Chebyshev(Controlled):
    """The solution of y' = rate(y), advanced by RKC steps; see `Controlled` for the rest.

    radius: an upper estimate of the largest decay rate, refreshed on the way.
    """

    radius: float = 1.0
    order = 2
    _rates: tuple[Tensor, Tensor] = field(init=False)
    _direction: Tensor | None = None
    _since: int = 0

    def __post_init__(self) -> None:
        rate = self._rate(self.y)
        self._rates = rate, rate

    def _attempt(self, h: float) -> tuple[Tensor, Tensor]:
        """Return y(t + h) and the estimate of its error."""
        if self._since == 0:
            self.radius = self._spectral_radius()
            self._since = RADIUS_EVERY
        first, rows = coefficients(stages_for(h * self.radius))
        y, rate = self.y, self._rates[1]
        before, now = y, y + first * h * rate
        for mu, nu, mu_tilde, gamma in rows:
            slope = self._rate(now)
            after = torch.add((1.0 - mu - nu) * y, now, alpha=mu)
            after.add_(before, alpha=nu).add_(slope, alpha=mu_tilde * h)
            before, now = now, after.add_(rate, alpha=gamma * h)
        self._proposed = self._rate(now)
        return now, 0.8 * (y - now) + 0.4 * h * (rate + self._proposed)

    def _rejected(self) -> None:
        """After a failed step the spectral radius may be to blame: look again."""
        self._since = 0

    def _accepted(self) -> None:
        self._rates = self._rates[1], self._proposed
        self._since -= 1

    def _longest(self) -> float:
        return 0.65 * LARGEST_STAGES**2 / self.radius

    def _spectral_radius(self) -> float:
        """Return an estimate of ρ from above, by power iteration on differences of the rate.

        Starts from the direction found last time, so that one or two iterations do.
        """
        rate, norm = self._rates[1], torch.linalg.vector_norm
        v = rate if self._direction is None else self._direction
        size = float(norm(v))
        if size == 0.0:
            return self.radius
        scale = 1e-6 * max(float(norm(self.y)), 1e-3)
        previous, found = 0.0, self.radius
        for _ in range(20):
            v = v * (scale / float(norm(v)))
            v = self._rate(self.y + v) - rate
            found = float(norm(v)) / scale
            if found == 0.0 or not found < float("inf"):
                return self.radius
            if abs(found - previous) <= 0.02 * found:
                break
            previous = found
        self._direction = v
        return RADIUS_SAFETY * found

    def _interpolate(self, x: float) -> Tensor:
        """Return y at a share x of the last step: the cubic with the ends' values and slopes."""
        (_, old), h = self.previous_state, self.width
        first, last = self._rates
        blend = x * x * (3.0 - 2.0 * x)
        y = old + blend * (self.y - old)
        y = y + h * x * (1.0 - x) ** 2 * first
        return y + h * x * x * (x - 1.0) * last
