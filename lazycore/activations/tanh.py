"""σ(z) = tanh(z)."""

from lazycore.spec import Spec

SPEC = Spec(name="tanh", meaning="tanh(z): smooth and bounded", facts={"smooth": True})


def sigma(z, values):
    """Return tanh(z)."""
    return z.tanh()


def slope(z, values):
    """Return 1 − tanh²(z)."""
    return 1.0 - z.tanh().square()


def bounds(values):
    """Return sup |σ'| = 1 and sup |σ''| = 4/(3√3), the latter at tanh² z = 1/3."""
    return (1.0, 4.0 / (3.0 * 3.0**0.5))
