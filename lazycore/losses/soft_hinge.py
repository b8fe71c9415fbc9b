"""ℓ(f, y) = ln(1 + e^{β(m − yf)})/β for labels y = ±1: the hinge loss with a round corner.

The loss of Geiger, Spigler, Jacot & Wyart (2020, arXiv:1906.08034), with m = 1 and β = 20.
"""

from lazycore.config.fields import LOSS_BETA, MARGIN
from lazycore.config.spec import Spec

SPEC = Spec(
    name="soft_hinge",
    meaning="what is missing to the margin, smoothly: ln(1 + e^{β(m − yf)})/β for labels ±1",
    reads=(LOSS_BETA, MARGIN),
    facts={
        "units": ("output units", "output units"),
        "labels": "binary",
        "classifies": True,
        "outputs": lambda classes: 1,
        "quadratic": False,
        "bounded_slope": True,
        "curvature": lambda values: values["loss_beta"] / 4.0,
        "margin": lambda values: values["margin"],
    },
)


def per_point(f, y, values):
    """Return ln(1 + e^{β(m − yf)})/β without overflow."""
    excess = values["loss_beta"] * (values["margin"] - y * f)
    return excess.logaddexp(f.new_zeros(())).sum(-1) / values["loss_beta"]


def gradient(f, y, values):
    """Return −y/(1 + e^{β(yf − m)})."""
    return -y * (values["loss_beta"] * (values["margin"] - y * f)).sigmoid()
