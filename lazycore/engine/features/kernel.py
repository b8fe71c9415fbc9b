"""The tangent kernel Θ = J Jᵀ as a matrix, and what is measured on it."""

import torch
from torch import Tensor

from lazycore.engine.features.features import Features, form_kernel
from lazycore.engine.features.gram import LIMIT
from lazycore.engine.features.layers import Layered
from lazycore.engine.features.linearize import Joined, together


def tangent_kernel(features: Features, other: Features | None = None, limit: int = LIMIT) -> Tensor:
    r"""Return Θ[(i, c), (j, e)] = D_w h_c(x_i) · D_w h_e(x'_j), shape (n·k, n'·k).

    Formed by structure where the features have one (`lazycore.engine.features.linearize`), never
    through the Jacobian of a layered network. Jacot, Gabriel & Hongler (2018, arXiv:1806.07572).

    Args:
        features: of the points x. other: of the points x'; the same points when None.
        limit: bytes that this may take beside the features and the result, about.
    """
    return form_kernel(features, other, limit)


def layer_kernels(
    features: Features, other: Features | None = None, limit: int = LIMIT
) -> dict[str, Tensor]:
    """Return Θ_l = J_l J'_lᵀ of every layer by its name, (n·k, n'·k) each; their sum is Θ.

    Both copies of a symmetrised network count as one. Features without layers are one layer
    by the name of `all`.
    """
    if isinstance(features, Joined) and (other is None or isinstance(other, Joined)):
        if (one := together(features, other, limit // 2)) is not None:
            return layer_kernels(*one, limit // 2)
        first = layer_kernels(features.first, None if other is None else other.first, limit)
        second = layer_kernels(features.second, None if other is None else other.second, limit)
        if first.keys() == second.keys():
            return {name: first[name].add_(second[name]) for name in first}
    if isinstance(features, Layered) and (other is None or isinstance(other, Layered)):
        parts = features.parts
        others = [None] * len(parts) if other is None else other.parts
        names = features.names or [f"layer {number}" for number in range(1, len(parts) + 1)]
        triples = zip(names, parts, others, strict=True)
        return {name: form_kernel(part, second, limit) for name, part, second in triples}
    return {"all": form_kernel(features, other, limit)}


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
