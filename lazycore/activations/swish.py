"""σ(z) = z/(1 + e^{−βz}): a smooth ReLU with a dip (Ramachandran et al. 2017, arXiv:1710.05941)."""

from dataclasses import replace

from lazycore.config.fields import ACTIVATION_BETA
from lazycore.config.spec import Spec

STEEPEST = 1.0998393194
"""sup |σ'| for every β: the largest root of x tanh(x/2) = 2 is where it is reached, at βz = x."""

SPEC = Spec(
    name="swish",
    meaning="smooth, with a dip below 0: z/(1 + e^{−βz})",
    reads=(replace(ACTIVATION_BETA, default=1.0),),
    facts={"smooth": True},
)


def sigma(z, values):
    """Return z times the logistic function of βz."""
    return z * (values["activation_beta"] * z).sigmoid()


def slope(z, values):
    """Return s + βz s(1 − s) with s the logistic function of βz."""
    return both(z, values)[1]


def both(z, values):
    """Return the value and the slope, which share s."""
    beta = values["activation_beta"]
    s = (beta * z).sigmoid()
    a = z * s
    return a, s + beta * a * (1.0 - s)


def change(z, u, values):
    """Return u s(z + u) + z (s(z + u) − s(z)), the latter by the difference of two tanh."""
    half = 0.5 * values["activation_beta"]
    far = (half * (z + u)).tanh()
    moved = 0.5 * (half * u).tanh() * (1.0 - (half * z).tanh() * far)
    return u * (2.0 * half * (z + u)).sigmoid() + z * moved


def bounds(values):
    """Return sup |σ'| ≈ 1.09984 and sup |σ''| = β/2, the latter at 0."""
    return (STEEPEST, values["activation_beta"] / 2.0)
