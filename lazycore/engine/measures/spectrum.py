"""Eigenvalues of the multi-output tangent kernel, and the gap below those of the classes.

For k classes the k largest eigenvalues stand apart, one a class, and the rest falls like a
power of its index: the tangent system is ill-conditioned, which is why a lazy network
under-fits (Chizat, Oyallon & Bach 2019, arXiv:1812.07956, Appendix C.3, Figure 7(b)).
"""

import numpy as np
import torch
from torch import Tensor

LARGEST = 1000
"""Outputs n·k, at most, of the kernel whose eigenvalues are found: a fraction of a second."""

LOOKED_AT = 50
"""Leading eigenvalues among which the gap is looked for."""


def spectrum(kernel: Tensor, k: int) -> np.ndarray:
    """Return the eigenvalues of Θ on the first points, decreasing, never below 0.

    kernel: (n·k, n·k), the outputs of a point side by side. Points: as many as `LARGEST` allows.
    """
    size = k * max(1, min(len(kernel), LARGEST) // k)
    values = torch.linalg.eigvalsh(kernel[:size, :size].double()).flip(0)
    return values.clamp(min=0.0).cpu().numpy()


def class_gap(eigenvalues: np.ndarray) -> tuple[int, float]:
    """Return after how many eigenvalues the largest ratio λ_i/λ_{i+1} among the first 50 comes,
    and that ratio; (0, nan) for fewer than two positive ones."""
    leading = eigenvalues[: LOOKED_AT + 1]
    leading = leading[leading > 0.0]
    if len(leading) < 2:
        return 0, float("nan")
    ratios = leading[:-1] / leading[1:]
    place = int(np.argmax(ratios))
    return place + 1, float(ratios[place])
