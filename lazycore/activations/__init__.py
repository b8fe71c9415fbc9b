"""Nonlinearities: one file each, written with methods of the tensors they are handed.

Each file holds a `SPEC` and

    sigma(z, values) → σ(z)      slope(z, values) → σ'(z)
    bounds(values)   → (sup |σ'|, sup |σ''|), or None where σ is not smooth

The `SPEC` has the fact `homogeneous` where σ(c z) = c σ(z) for every c > 0. There may be,
where there is a better way than from those two,

    both(z, values)      → σ(z), σ'(z) together, which is cheaper; may overwrite z
    change(z, u, values) → σ(z + u) − σ(z) without cancellation, however small u is
"""


def both(file, z, values):
    """Return σ(z) and σ'(z) of the activation in this file."""
    if hasattr(file, "both"):
        return file.both(z, values)
    return file.sigma(z, values), file.slope(z, values)


def change(file, z, u, values):
    """Return σ(z + u) − σ(z) of the activation in this file, as exactly as it knows how."""
    if hasattr(file, "change"):
        return file.change(z, u, values)
    return file.sigma(z + u, values) - file.sigma(z, values)
