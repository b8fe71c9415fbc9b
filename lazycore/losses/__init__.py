"""What R averages: one file per loss, written with methods of the tensors it is handed.

Each file holds a `SPEC` and, for outputs f and targets y of shape (n, k),

    per_point(f, y) → ℓ(f_i, y_i), summed over outputs, shape (n,)
    gradient(f, y)  → ∂ℓ/∂f, shape (n, k)

so that R(f) = (1/n) Σ ℓ(f_i, y_i). Targets are real numbers, ±1, or one-hot rows.
"""
