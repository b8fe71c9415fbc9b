"""ℓ(f, y) = ln(1 + e^{−yf}) for labels y = ±1."""

from lazycore.config.spec import Spec

SPEC = Spec(
    name="logistic",
    meaning="how unlikely the right of two labels is held to be, ln(1 + e^{−yf}) for labels ±1",
    facts={
        "units": ("nats", "logits"),
        "labels": "binary",
        "classifies": True,
        "outputs": lambda classes: 1,
        "quadratic": False,
        "bounded_slope": True,
        "curvature": 0.25,
    },
)


def per_point(f, y):
    """Return ln(1 + e^{−yf}) without overflow."""
    return (-y * f).logaddexp(f.new_zeros(())).sum(-1)


def gradient(f, y):
    """Return −y / (1 + e^{yf})."""
    return -y * (-y * f).sigmoid()
