"""ℓ(f, y) = ½ Σ_c w_c (f_c − y_c)² with weights from 1 to 4: strongly convex and smooth, κ = 4.

A loss whose smoothness M = 4 and strong convexity m = 1 differ, as Theorem 2.4 of Chizat,
Oyallon & Bach (2019, arXiv:1812.07956) allows. With one output it is the square loss.
"""

import math

from lazycore.config.spec import Spec

LARGEST = 4.0

SPEC = Spec(
    name="weighted_square",
    meaning="half the squared error, ½ Σ w (f − y)², with w from 1 to 4 over the outputs",
    facts={
        "units": ("target units²", "target units"),
        "labels": "any",
        "classifies": False,
        "outputs": lambda classes: classes if classes > 2 else 1,
        "quadratic": False,
        "bounded_slope": False,
        "curvature": LARGEST,
        "convexity": 1.0,
    },
)


def weights(f):
    """Return w (k,), from 1 by equal ratios to 4."""
    k = f.shape[-1]
    powers = f.new_ones(k).cumsum(0) - 1.0
    return (powers * (math.log(LARGEST) / max(k - 1, 1))).exp()


def per_point(f, y):
    """Return ½ Σ_c w_c (f_c − y_c)² for each point."""
    return 0.5 * (weights(f) * (f - y).square()).sum(-1)


def gradient(f, y):
    """Return w (f − y)."""
    return weights(f) * (f - y)
