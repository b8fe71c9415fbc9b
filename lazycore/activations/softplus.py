"""σ(z) = ln(1 + e^{βz}) / β: a ReLU with a round corner of size 1/β."""

from lazycore.config.fields import ACTIVATION_BETA
from lazycore.config.spec import Spec

SPEC = Spec(
    name="softplus",
    meaning="a smooth ReLU, ln(1 + e^{βz})/β",
    reads=(ACTIVATION_BETA,),
    facts={"smooth": True},
)


def sigma(z, values):
    """Return ln(1 + e^{βz}) / β without overflow."""
    beta = values["activation_beta"]
    return (beta * z).logaddexp(z.new_zeros(())) / beta


def slope(z, values):
    """Return the logistic function of βz."""
    return (values["activation_beta"] * z).sigmoid()


def change(z, u, values):
    """Return ln(1 + σ'(z)(e^{βu} − 1))/β, or, where βu is not small, the plain difference."""
    beta = values["activation_beta"]
    small = (slope(z, values) * (beta * u).clamp(max=1.0).expm1()).log1p() / beta
    return small.where((beta * u).abs() <= 1.0, sigma(z + u, values) - sigma(z, values))


def bounds(values):
    """Return sup |σ'| = 1 and sup |σ''| = β/4, the latter at 0."""
    return (1.0, values["activation_beta"] / 4.0)
