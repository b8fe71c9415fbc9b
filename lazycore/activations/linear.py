"""σ(z) = z: deep linear networks, lazy or rich without any nonlinearity in x."""

from lazycore.config.spec import Spec

SPEC = Spec(
    name="linear",
    meaning="no bend at all, z: a deep linear network",
    facts={"smooth": True, "homogeneous": True},
)


def sigma(z, values):
    """Return z."""
    return z


def slope(z, values):
    """Return 1."""
    return z.new_ones(()).expand_as(z)


def both(z, values):
    """Return z and 1."""
    return z, slope(z, values)


def change(z, u, values):
    """Return u."""
    return u


def bounds(values):
    """Return sup |σ'| = 1 and sup |σ''| = 0."""
    return (1.0, 0.0)
