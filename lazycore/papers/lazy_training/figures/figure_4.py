r"""Figure 4: the tangent kernel of m random neurons, and its limit.

For unit inputs at an angle φ and Gaussian weights, h = (1/√m) Σ b σ(a·x) has the kernel

    k_m(φ) = (1/m) Σ [ (x·x') b² σ'(a·x) σ'(a·x') + σ(a·x) σ(a·x') ]
    k(φ) = cos φ (π − φ)/(2π) + ((π − φ) cos φ + sin φ)/(2π),   0 ≤ φ ≤ π,   k(2π − φ) = k(φ)

Source: Chizat, Oyallon & Bach (2019, arXiv:1812.07956), Appendix A.2; the arc-cosine kernels
of Cho & Saul (2009).
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from lazycore.papers.claim import Row
from lazycore.papers.reproduction import Curve, Found, Reproduction, Scale

COUNTS = (1, 10, 100, 1000)
DRAWS = 20
ANGLES = np.linspace(0.0, 2.0 * np.pi, 241)
VALUES = {0.0: 1.0, np.pi / 2.0: 0.5 / np.pi, np.pi: 0.0}
LOWEST, LOWEST_AT = -0.0684, np.pi - 0.65327
"""Where k'(φ) = 0: (π − φ) tan(π − φ) = ½."""
EXACT, SUP = 1e-4, {1000: 0.1, 10_000: 0.05}
"""Allowed: of the limit's values, and of the largest error by m (the mean of 20 draws)."""


def limit(angle: np.ndarray) -> np.ndarray:
    """Return k(φ) for angles in [0, 2π]."""
    angle = np.asarray(angle, dtype=float)
    phi = np.minimum(angle, 2.0 * np.pi - angle)
    inner, outer = np.cos(phi) * (np.pi - phi), np.sin(phi)
    return (2.0 * inner + outer) / (2.0 * np.pi)


def sample(m: int, angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return k_m(φ) of m neurons drawn from N(0, 1): (len(angle),).

    Both inputs lie in a plane, so that two coordinates of each a are all that matters, in
    whatever dimension.
    """
    a, b = rng.standard_normal((2, m)), rng.standard_normal(m)
    angle = np.asarray(angle, dtype=float)
    first = a[0]
    second = np.cos(angle)[:, None] * a[0] + np.sin(angle)[:, None] * a[1]
    on = (first > 0.0) & (second > 0.0)
    inputs = np.cos(angle) * (on * b**2).mean(axis=1)
    return inputs + (on * first * second).mean(axis=1)


def lines(found: Sequence[Found] = ()) -> list[Curve]:
    """Return one draw of k_m for each m, and the limit, in closed form."""
    rng = np.random.default_rng(0)
    drawn = [(f"m = {m}", sample(m, ANGLES, rng), "nonlinear") for m in COUNTS]
    drawn.append(("limit m → ∞", limit(ANGLES), "linearized"))
    return [Curve.of_runs(name, ANGLES, values[None], look) for name, values, look in drawn]


def largest_error(m: int, draws: int = DRAWS, seed: int = 0) -> float:
    """Return the mean over draws of the largest |k_m(φ) − k(φ)|."""
    rng = np.random.default_rng(seed)
    exact = limit(ANGLES)
    return float(np.mean([np.abs(sample(m, ANGLES, rng) - exact).max() for _ in range(draws)]))


def agreement(found: Sequence[Found] = (), counts: Sequence[int] = (1000,)) -> list[Row]:
    """Compare the limit with its known values, and the largest error with what is allowed."""
    errors = [abs(float(limit(np.array(phi))) - value) for phi, value in VALUES.items()]
    fine = np.linspace(0.0, np.pi, 20_001)
    lowest, place = float(limit(fine).min()), float(fine[limit(fine).argmin()])
    close = abs(lowest - LOWEST) <= EXACT and abs(place - LOWEST_AT) <= 1e-3
    rows = [
        Row(
            "limit at φ = 0, π/2, π: 1, 1/(2π), 0",
            f"off by {max(errors):.1e}",
            f"≤ {EXACT:g}",
            max(errors) <= EXACT,
        ),
        Row(
            "lowest value of the limit",
            f"{lowest:.4f} at φ = {place:.3f}".replace("-", "−"),
            f"{LOWEST} at {LOWEST_AT:.3f}".replace("-", "−"),
            close,
        ),
    ]
    for m in counts:
        error = largest_error(m)
        claim = f"largest error of k_m at m = {m}, mean of {DRAWS} draws"
        rows.append(Row(claim, f"{error:.3f}", f"< {SUP[m]:g}", error < SUP[m]))
    return rows


full_agreement = partial(agreement, counts=tuple(SUP))

REPRODUCTION = Reproduction(
    name="4",
    title="Figure 4: the tangent kernel of many neurons has a limit",
    caption="The tangent kernel of m random ReLU neurons between two unit inputs at an angle φ, "
    "one draw for each m (solid), and its limit in closed form (dashed). The paper's curves are "
    "draws of their own, so that none was read off; the limit is the same.",
    x=Scale(title="angle φ (radians)"),
    y=Scale(title="tangent kernel k(φ) (no unit)"),
    curves=lines,
    agreement=agreement,
)
