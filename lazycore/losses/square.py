"""ℓ(f, y) = ½ ‖f − y‖²."""

from lazycore.config.spec import Spec

SPEC = Spec(
    name="square",
    meaning="half the squared error, ½ (f − y)²",
    facts={
        "units": ("target units²", "target units"),
        "labels": "any",
        "classifies": False,
        "outputs": lambda classes: classes if classes > 2 else 1,
        "quadratic": True,
        "bounded_slope": False,
        "curvature": 1.0,
        "convexity": 1.0,
    },
)


def per_point(f, y):
    """Return ½ ‖f − y‖² for each point."""
    return 0.5 * (f - y).square().sum(-1)


def gradient(f, y):
    """Return f − y."""
    return f - y
