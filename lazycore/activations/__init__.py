"""Nonlinearities: one file each, written with methods of the tensor they are handed.

Each file holds a `SPEC` and

    sigma(z, values) → σ(z)      slope(z, values) → σ'(z)
    bounds(values)   → (sup |σ'|, sup |σ''|), or None where σ is not smooth
"""
