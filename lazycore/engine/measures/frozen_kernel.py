r"""A model whose kernel does not move: gradient flow in the space of functions.

    F = F₀ + Θ c,   ċ = −∇R(F),   c(0) = 0,   on other points F = F₀ + Θ(x', x) c

With Θ the tangent kernel of a network at w0 this is its linearised model; with that of a
trained network it says how much of what was learned is in the kernel (Geiger, Spigler,
Jacot & Wyart 2020, arXiv:1906.08034: all of it, about).
"""

import math

import torch
from torch import Tensor

from lazycore.engine.problem.problem import Problem

GRADIENT_CHANGE, OUTPUT_CHANGE = 1e-3, 0.1
"""What a step may change: ‖g − g'‖²/(‖g‖‖g'‖) of the gradient g, and the largest |ΔF|."""

MOST_STEPS = 2000
"""Steps, tried ones counted, after which the model ends where it is."""


def train_frozen(
    kernel: Tensor, problem: Problem, time: float, margin: float = math.inf
) -> tuple[Tensor, float]:
    """Return the coefficients c (n·k,) and the time at which they were reached.

    The end is `time`, or where y F ≥ margin on every point. The square loss is
    solved exactly by an eigendecomposition; others by Euler steps as long as the gradient
    and the outputs allow, which err by about one per cent of the outputs.

    Args:
        kernel: Θ on the training points, (n·k, n·k), outputs of a point side by side.
    Cost: 25 (nk)³ operations, or one product with Θ a step, a few hundred of them.
    """
    if problem.loss.SPEC.facts["quadratic"]:
        return _solved(kernel, problem, time), time
    return _stepped(kernel, problem, time, margin)


def _solved(kernel: Tensor, problem: Problem, time: float) -> Tensor:
    """Return c = −φ(Θ/n) ∇R(F₀), φ(λ) = (1 − e^{−λt})/λ."""
    values, vectors = torch.linalg.eigh(kernel / len(problem.train))
    values = values.clamp(min=0.0)
    filters = torch.where(values > 0.0, -torch.expm1(-values * time) / values, time)
    start = problem.residual(problem.train.start).reshape(-1).to(kernel)
    return -vectors @ (filters * (vectors.T @ start))


def _stepped(kernel: Tensor, problem: Problem, time: float, margin: float) -> tuple[Tensor, float]:
    y, f, now = problem.targets, problem.train.start.to(kernel), 0.0
    c = kernel.new_zeros(kernel.shape[0])
    r = problem.residual(f).reshape(-1)
    pulled = kernel @ r
    fastest = problem.loss.SPEC.facts["curvature"] * float(torch.linalg.matrix_norm(kernel))
    step = len(problem.train) / fastest if fastest > 0.0 else time
    for _ in range(MOST_STEPS):
        if now >= time or float((y * f).min()) >= margin:
            break
        step = min(step, time - now)
        f_next = f - step * pulled.view(f.shape)
        r_next = problem.residual(f_next).reshape(-1)
        pulled_next = kernel @ r_next
        moved = step * float(pulled.abs().max())
        size = (r @ pulled) * (r_next @ pulled_next)
        change = float((r - r_next) @ (pulled - pulled_next) / size.clamp(min=1e-300).sqrt())
        excess = max((change / GRADIENT_CHANGE) ** 0.5, moved / OUTPUT_CHANGE)
        if excess <= 1.0:
            now = now + step
            c, f, r, pulled = c - step * r, f_next, r_next, pulled_next
        step *= min(2.0, max(0.2, 0.9 / excess)) if excess > 0.0 else 2.0
    return c, now
