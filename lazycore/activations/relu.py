"""σ(z) = max(z, 0)."""

from lazycore.config.spec import Spec

SPEC = Spec(
    name="relu",
    meaning="nothing below 0 and z above, max(z, 0): not smooth",
    facts={"smooth": False, "homogeneous": True},
)


def sigma(z, values):
    """Return max(z, 0)."""
    return z.clamp(min=0.0)


def slope(z, values):
    """Return 1 where z > 0, else 0 (also at the kink)."""
    return z.sign().clamp_(min=0.0)


def both(z, values):
    """Return max(z, 0), in the place of z, and its slope."""
    a = z.relu_()
    return a, a.sign()


def change(z, u, values):
    """Return max(z + u, 0) − max(z, 0), which is u where both are positive."""
    return (u + z.clamp(max=0.0)).maximum(-z.clamp(min=0.0))


def bounds(values):
    """Return None: σ' jumps at 0, so the theorems for smooth h do not apply."""
    return None
