"""The tangent kernel Θ = J Jᵀ as a matrix, and what is measured on it."""

import torch
from torch import Tensor

from lazycore.linearize import Features


def tangent_kernel(features: Features) -> Tensor:
    r"""Return Θ[(i, c), (j, e)] = D_w h_c(x_i) · D_w h_e(x_j), shape (n·k, n·k).

    Formed by structure where the features have one (`lazycore.linearize`), never through
    the Jacobian of a layered network. Jacot, Gabriel & Hongler (2018, arXiv:1806.07572).
    """
    kernel = features.kernel()
    size = kernel.shape[0] * kernel.shape[1]
    return kernel.reshape(size, size)


def relative_change(kernel: Tensor, initial: Tensor) -> float:
    """Return ‖Θ − Θ₀‖_F / ‖Θ₀‖_F; 0 for a kernel that is 0 and stays so."""
    norm = torch.linalg.vector_norm(initial)
    change = torch.linalg.vector_norm(kernel - initial)
    return float(change / norm) if norm > 0.0 else float(change)


def alignment(kernel: Tensor, targets: Tensor) -> float:
    """Return the kernel–label alignment ⟨Θ, yyᵀ⟩ / (‖Θ‖_F ‖y‖²), between 0 and 1.

    Cristianini, Shawe-Taylor, Elisseeff & Kandola (2001), "On kernel-target alignment".
    Features have been learned when it grows during training.
    """
    y = targets.reshape(-1)
    scale = torch.linalg.vector_norm(kernel) * y.square().sum()
    return float(y @ (kernel @ y) / scale) if scale > 0.0 else 0.0
