"""σ(z) = tanh(z)."""

from lazycore.config.spec import Spec

SPEC = Spec(name="tanh", meaning="smooth and bounded, tanh(z)", facts={"smooth": True})


def sigma(z, values):
    """Return tanh(z)."""
    return z.tanh()


def slope(z, values):
    """Return 1 − tanh²(z)."""
    return 1.0 - z.tanh().square()


def both(z, values):
    """Return tanh(z) and 1 − tanh²(z)."""
    a = z.tanh()
    return a, 1.0 - a.square()


def change(z, u, values):
    """Return tanh(u)(1 − tanh(z) tanh(z + u))."""
    return u.tanh() * (1.0 - z.tanh() * (z + u).tanh())


def bounds(values):
    """Return sup |σ'| = 1 and sup |σ''| = 4/(3√3), the latter at tanh² z = 1/3."""
    return (1.0, 4.0 / (3.0 * 3.0**0.5))
