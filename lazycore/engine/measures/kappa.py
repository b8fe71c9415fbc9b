"""κ, the inverse relative scale that decides laziness, with true operator norms."""

from weakref import WeakKeyDictionary

import numpy as np
import torch

from lazycore.engine.problem.anchor import Anchor
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.problem import Problem

STARTS, ITERATIONS = 2, 15
POINTS = 200
"""Points, at most, on which the second derivative of a deep network is looked at."""

DIFFERENCE = 3e-5
"""Step of the differences that stand for derivatives along a unit vector: their errors, ε²
and rounding/ε², are both below 1e-6."""

_known: WeakKeyDictionary[Anchor, float] = WeakKeyDictionary()


def second_derivative_norm(anchor: Anchor) -> float:
    r"""Return ‖D²h(w0)‖ = sup over ‖u‖ = 1 of ‖D²h(u, u)‖ in L²(ρ̂): a value from below.

    Neuron by neuron where the network has one hidden layer; otherwise by alternating
    maximisation: for a direction u the best output direction is q = D²h(u, u)/‖·‖, and for
    q the symmetric form q·D²h(u, ·) is increased by one power step. That finds a local
    maximum; the best of a few fixed starts is returned, on the first 200 points.

    Cost: 2 · STARTS · ITERATIONS gradients, once for all runs that share the anchor.
    """
    found = _known.get(anchor)
    if found is None:
        found = anchor.network.second_derivative_norm(anchor.w0, anchor.x)
        _known[anchor] = found = _alternating(anchor) if found is None else found
    return found


def _alternating(anchor: Anchor) -> float:
    """Return the best local maximum; derivatives along u are central differences in float64."""
    x, w0 = anchor.x[:POINTS].double(), anchor.w0.double()
    network, best = anchor.network, 0.0
    h0 = network(w0, x)
    for seed in range(STARTS):
        start = np.random.default_rng(seed).standard_normal(w0.shape)
        u, reached = torch.as_tensor(start, device=w0.device), 0.0
        for _ in range(ITERATIONS):
            u = u * (DIFFERENCE / torch.linalg.vector_norm(u))
            (ahead, pull_ahead), (behind, pull_behind) = (
                network.pullback(w, x) for w in (w0 + u, w0 - u)
            )
            q = (ahead - 2.0 * h0 + behind) / (DIFFERENCE**2 * len(x) ** 0.5)
            norm = float(torch.linalg.vector_norm(q))
            # What is left of a function without a second derivative is rounding.
            if norm * DIFFERENCE**2 <= 1e-14 * float(h0.abs().max()) or norm <= reached * 1.0001:
                break
            reached = norm
            u = pull_ahead(q) - pull_behind(q)
        best = max(best, reached)
    return best


def kappa(problem: Problem) -> float | None:
    r"""Return κ of αh at w0, or None unless the loss is square and h smooth.

        κ = (1/α) ‖αh(w0) − y‖ · ‖D²h(w0)‖ / ‖Dh(w0)‖²

    Training is lazy where κ ≪ 1. Chizat, Oyallon & Bach (2019, arXiv:1812.07956, §1.2, the
    criterion for the square loss), norms in L²(ρ̂) and operator norms of those.
    """
    if not problem.loss.SPEC.facts["quadratic"] or not problem.network.smooth:
        return None
    residual = float(rms(problem.train.start - problem.targets))
    squared = problem.largest_eigenvalue
    if squared == 0.0:
        return None
    return residual * second_derivative_norm(problem.train.anchor) / squared / problem.alpha
