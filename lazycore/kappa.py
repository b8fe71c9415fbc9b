"""κ, the inverse relative scale that decides laziness, with true operator norms."""

import numpy as np
import torch
from torch import Tensor

from lazycore.problem import Problem, rms

STARTS, ITERATIONS = 2, 15
POINTS = 200
"""Points, at most, on which the second derivative of a deep network is looked at."""


def second_derivative_norm(problem: Problem) -> float:
    r"""Return ‖D²h(w0)‖ = sup over ‖u‖ = 1 of ‖D²h(u, u)‖ in L²(ρ̂): a value from below.

    Neuron by neuron where the network has one hidden layer; otherwise by alternating
    maximisation: for a direction u the best output direction is q = D²h(u, u)/‖·‖, and for
    q the symmetric form q·D²h(u, ·) is increased by one power step. That finds a local
    maximum; the best of a few fixed starts is returned, on the first 200 points.

    Cost: STARTS · ITERATIONS second-order products, each about ten passes of the network.
    """
    found = problem.network.second_derivative_norm(problem.w0, problem.train.x)
    if found is not None:
        return found
    x, w0 = problem.train.x[:POINTS], problem.w0

    def directional(w: Tensor, u: Tensor) -> Tensor:
        return torch.func.jvp(lambda w: problem.network(w, x) / len(x) ** 0.5, (w,), (u,))[1]

    best = 0.0
    for seed in range(STARTS):
        start = np.random.default_rng(seed).standard_normal(w0.shape)
        u = torch.as_tensor(start, dtype=w0.dtype, device=w0.device)
        for _ in range(ITERATIONS):
            u = u / torch.linalg.vector_norm(u)
            q = torch.func.jvp(lambda w, u=u: directional(w, u), (w0,), (u,))[1]
            norm = float(torch.linalg.vector_norm(q))
            if norm == 0.0:
                break
            best = max(best, norm)
            w = w0.detach().requires_grad_()
            u = torch.autograd.grad((directional(w, u) * q).sum(), w)[0]
    return best


def kappa(problem: Problem) -> float | None:
    r"""Return κ of αh at w0, or None unless the loss is square and h smooth.

        κ = (1/α) ‖αh(w0) − y‖ · ‖D²h(w0)‖ / ‖Dh(w0)‖²

    Training is lazy where κ ≪ 1. Chizat, Oyallon & Bach (2019, arXiv:1812.07956, §1.2, the
    criterion for the square loss), norms in L²(ρ̂) and operator norms of those.
    """
    if not problem.loss.SPEC.facts["quadratic"] or not problem.network.smooth:
        return None
    residual = rms(problem.train.start - problem.targets)
    squared = problem.largest_eigenvalue
    if squared == 0.0:
        return None
    return residual * second_derivative_norm(problem) / squared / problem.alpha
