"""σ(z) = max(z, 0)."""

from lazycore.spec import Spec

SPEC = Spec(name="relu", meaning="max(z, 0): not smooth", facts={"smooth": False})


def sigma(z, values):
    """Return max(z, 0)."""
    return z.clamp(min=0.0)


def slope(z, values):
    """Return 1 where z > 0, else 0 (also at the kink)."""
    return (z > 0.0).to(z.dtype)


def bounds(values):
    """Return None: σ' jumps at 0, so the theorems for smooth h do not apply."""
    return None
