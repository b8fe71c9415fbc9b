"""ℓ(f, y) = −Σ_c y_c ln softmax(f)_c for one-hot targets."""

from lazycore.config.spec import Spec

SPEC = Spec(
    name="cross_entropy",
    meaning="how unlikely the right class is held to be, −ln softmax(f)",
    facts={
        "units": ("nats", "logits"),
        "labels": "any",
        "classifies": True,
        "outputs": lambda classes: max(2, classes),
        "quadratic": False,
        "bounded_slope": True,
        # The largest eigenvalue of diag(p) − ppᵀ is ½, at two equal classes.
        "curvature": 0.5,
    },
)


def per_point(f, y):
    """Return ln Σ_c e^{f_c} − f · y for each point."""
    return f.logsumexp(-1) - (f * y).sum(-1)


def gradient(f, y):
    """Return softmax(f) − y."""
    return f.softmax(-1) - y
