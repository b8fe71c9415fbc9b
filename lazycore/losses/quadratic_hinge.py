"""ℓ(f, y) = ½ max(0, m − yf)² for labels y = ±1: zero once a point has its margin.

The flow of it comes to the margin in the limit only, as the force falls with what is missing: to
stop at a margin is for the soft hinge. Geiger et al. (2019, arXiv:1809.09349).
"""

from lazycore.config.fields import MARGIN
from lazycore.config.spec import Spec

SPEC = Spec(
    name="quadratic_hinge",
    meaning="half the square of what is missing to the margin, ½ max(0, m − yf)² for labels ±1",
    reads=(MARGIN,),
    facts={
        "units": ("output units²", "output units"),
        "labels": "binary",
        "classifies": True,
        "outputs": lambda classes: 1,
        "quadratic": False,
        "bounded_slope": False,
        "curvature": 1.0,
        "margin": lambda values: values["margin"],
    },
)


def per_point(f, y, values):
    """Return ½ max(0, m − yf)²."""
    return 0.5 * (values["margin"] - y * f).clamp(min=0.0).square().sum(-1)


def gradient(f, y, values):
    """Return −y max(0, m − yf)."""
    return -y * (values["margin"] - y * f).clamp(min=0.0)
