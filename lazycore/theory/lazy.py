"""What the theorems of lazy training say of a run. numpy only.

Chizat, Oyallon & Bach (2019), "On Lazy Training in Differentiable Programming",
arXiv:1812.07956; theorem numbers are those of version 4.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np


def slope(x: Sequence[float], y: Sequence[float]) -> tuple[float, float, float]:
    """Return the exponent b of y ∝ x^b with its 95 % interval: (b, low, high).

    Least squares of log y on log x; the interval is Student's, from the scatter about the
    line, so two points give (b, −∞, ∞). Needs two different positive x; pairs with a
    non-positive or non-finite entry are left out.
    """
    pairs = [
        (np.log(a), np.log(b))
        for a, b in zip(x, y, strict=True)
        if a > 0 and b > 0 and np.isfinite(a) and np.isfinite(b)
    ]
    if len({u for u, _ in pairs}) < 2:
        return float("nan"), float("-inf"), float("inf")
    return _gradient_of(*np.array(pairs).T)


def _gradient_of(u: np.ndarray, v: np.ndarray) -> tuple[float, float, float]:
    """Return the gradient of the least-squares line of v on u, with its 95 % interval."""
    u = u - u.mean()
    exponent = float(u @ v / (u @ u))
    freedom = len(u) - 2
    if freedom == 0:
        return exponent, float("-inf"), float("inf")
    scatter = v - v.mean() - exponent * u
    error = float(np.sqrt(scatter @ scatter / freedom / (u @ u)))
    half = student_975(freedom) * error
    return exponent, exponent - half, exponent + half


def student_975(freedom: int) -> float:
    """Return the 97.5 % point of Student's t, within 0.4 % (exact for 1 to 6 degrees)."""
    exact = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447)
    if freedom <= len(exact):
        return exact[freedom - 1]
    z = 1.959964
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def predicted_gap_slope(zero_output: str | None, bounded: bool | None) -> float | None:
    """Return the exponent in α of the output gap at fixed time, for smooth h as α → ∞.

    −1 for a centred model (Theorem 2.2). −2 for a symmetrised one: the first-order moves of
    the two copies are ±δ, so the second-order terms cancel. +1 with h(w0) ≠ 0 under a loss
    whose slope grows as the outputs do (the square one), where the residual itself grows as α;
    None where the slope is bounded: there the gap falls, at a rate no theorem gives. A model that
    reads no `zero_output` starts at h(w0) = 0 by itself, as a centred one does.

    bounded: whether |∂ℓ/∂f| is, a fact of the loss; None where nothing is known of it.
    """
    if zero_output == "none":
        return 1.0 if bounded is False else None
    return -2.0 if zero_output == "symmetrized" else -1.0


def gap_slope_reason(zero_output: str | None, loss: str, bounded: bool | None) -> str:
    """Return the sentence that says why the output gap goes with α as it does.

    loss: its name. bounded: whether its slope is; None where nothing is known of it.
    """
    if zero_output is None:
        return "h(w₀) = 0: by Theorem 2.2 the gap falls as 1/α."
    if zero_output == "centered":
        return "Centred, h(w₀) = 0: by Theorem 2.2 the gap falls as 1/α."
    if zero_output == "symmetrized":
        return (
            "Symmetrised: the first-order moves of the two copies are opposite, so their "
            "second-order terms cancel, and the gap falls as 1/α², not 1/α."
        )
    if bounded is None:
        return "h(w₀) ≠ 0, which Theorem 2.2 excludes: how the gap goes with α is not known."
    if not bounded:
        return "h(w₀) ≠ 0: the residual itself grows as α, and the gap with it."
    return (
        f"h(w₀) ≠ 0, which Theorem 2.2 excludes, yet the gap falls: the slope of the {loss} loss "
        "is bounded, so outputs of size α pull no harder, while the weights move by 1/α."
    )


def predicted_displacement(time: float, initial_loss: float, alpha: float) -> float:
    """Return the bound √(T R(αh(w0)))/α on sup ‖w − w0‖ over [0, T].

    From the proof of Theorem 2.2 (Cauchy–Schwarz along the flow); needs no smoothness of
    the constants, and no h(w0) = 0, only that F_α decreases along w.
    """
    return float(np.sqrt(time * initial_loss) / alpha)


def theorem_2_3(
    times: np.ndarray,
    *,
    residual: float,
    alpha: float,
    differential: float,
    curvature: Callable[[float], float],
) -> np.ndarray:
    r"""Return Theorem 2.3's bound on the output gap at each time, NaN where it does not apply.

        ‖αh(w(t)) − αh̄(w̄(t))‖ ≤ (K²/α) · Lip(Dh)/Lip(h)² · ‖αh(w0) − y‖²,   t = K/Lip(h)²

    under the square loss, if α ≥ K ‖αh(w0) − y‖/(r Lip(h)), where the Lipschitz constants
    hold on the ball of radius r round w0. With Lip(h) ≤ ‖Dh(w0)‖ + r Lip(Dh) the smallest
    such r is found by iterating the hypothesis; where it grows without bound, none exists.

    Args:
        times: (T,) flow times.
        residual: ‖αh(w0) − y‖ in L²(ρ̂), as are the two below.
        differential: ‖Dh(w0)‖, operator norm.
        curvature: r → an upper bound on Lip(Dh) on the ball of radius r.
    """
    bound = np.full(len(times), np.nan)
    for number, time in enumerate(times):
        radius = smallest_radius(
            time,
            residual=residual,
            alpha=alpha,
            differential=differential,
            curvature=curvature,
        )
        if np.isfinite(radius):
            lipschitz = differential + radius * curvature(radius)
            bound[number] = time**2 * lipschitz**2 * curvature(radius) * residual**2 / alpha
    return bound


def smallest_radius(
    time: float,
    *,
    residual: float,
    alpha: float,
    differential: float,
    curvature: Callable[[float], float],
) -> float:
    """Return the smallest r with α ≥ K ‖αh(w0) − y‖/(r Lip(h)), K = t Lip(h)²; ∞ without one.

    Theorem 2.3's hypothesis: the flow stays in that ball until t. Arguments as `theorem_2_3`.
    """
    # r = a + b Lip(r) r. Lip(Dh) does not fall with r: solved with what it is in a ball that is
    # too small, r is too small, or the answer.
    rate, radius = time * residual / alpha, 0.0
    for _ in range(200):
        bend = rate * curvature(radius)
        if not bend < 1.0:
            break
        wanted = rate * differential / (1.0 - bend)
        if wanted <= radius:
            return radius
        if not wanted <= 1e12:
            break
        radius = wanted * (1.0 + 1e-9)
    return float("inf")


def decay_rate(time: np.ndarray, values: np.ndarray) -> tuple[float, float, float]:
    """Return the late rate ρ of values ∝ e^{−ρt} with its 95 % interval: (ρ, low, high).

    Least squares of log values on t over the later half of the time in which the values are
    between 1e-2 and 1e-6 of the largest: late enough for the slowest mode, early enough for
    the numbers to be more than rounding. (NaN, −∞, ∞) where there are fewer than four such.
    """
    time, values = np.asarray(time, dtype=float), np.asarray(values, dtype=float)
    with np.errstate(invalid="ignore"):
        share = values / np.nanmax(values, initial=np.nan) if values.size else values
        kept = (share < 1e-2) & (share > 1e-6)
    if kept.any():
        kept &= time >= 0.5 * (time[kept].min() + time[kept].max())
    if kept.sum() < 4:
        return float("nan"), float("-inf"), float("inf")
    exponent, low, high = _gradient_of(time[kept], np.log(values[kept]))
    return -exponent, -high, -low


# ── the two conventions of Geiger, Spigler, Jacot & Wyart (2020, arXiv:1906.08034) ───────
@dataclass(frozen=True)
class CodeConvention:
    """A run as the authors' code says it: output scale α_c, time t_c, loss L_c, kernel Θ_c.

    There the last layer is over h instead of √h, and the loss over α_c instead of α². Their
    commands and the "√h α" of their figures are α_c. F = αf, its margins and all relative changes
    of weights and kernels are the same in both.
    """

    alpha: float
    time: float
    loss: float
    kernel: float


def to_code(
    *, width: float, alpha: float, time: float, loss: float, kernel: float
) -> CodeConvention:
    """Return what the authors' code calls a state of ours.

        α_c = √h α      t_c = (√h/α) t      L_c = R/α_c      Θ_c = Θ/h

    Args: width h, output scale α, flow time t of R(αf)/α², loss R(αf), any norm of Θ of f.
    """
    code_alpha = width**0.5 * alpha
    return CodeConvention(code_alpha, width / code_alpha * time, loss / code_alpha, kernel / width)


def from_code(*, width: float, said: CodeConvention) -> tuple[float, float, float, float]:
    """Return our (α, t, R, norm of Θ): the inverse of `to_code`.

    α = α_c/√h, and t = (α_c/h) t_c.
    """
    alpha = said.alpha / width**0.5
    return alpha, said.alpha / width * said.time, said.loss * said.alpha, said.kernel * width


def first_step(alpha: float, width: float) -> float:
    """Return α/√h, the flow time of one unit of time in the authors' code: their first step."""
    return alpha / width**0.5


def rich_kernel_exponent(depth: int) -> float:
    """Return a = 2L/(L + 1): the kernel of a rich network grows as (√h α)^−a.

    The network follows its gradient up to t₁ ~ √h α without a change of loss; all L + 1 layers
    then grow by λ with √h α λ^(L+1) = 1, and the kernel as λ^{2L} (arXiv:1906.08034, §6 of
    version 1). depth: L hidden layers.
    """
    return 2.0 * depth / (depth + 1.0)


def rich_weight_exponent(depth: int) -> float:
    """Return b = 1/(L + 1): ‖w − w0‖/‖w0‖ of a rich network goes as (√h α)^−b/√h."""
    return 1.0 / (depth + 1.0)
