"""The norm of outputs that all of this program goes by."""

from torch import Tensor


def rms(values: Tensor) -> Tensor:
    """Return the L²(ρ̂) norm of outputs (…, n, k), one for each of the leading places: shape (…).

        ‖f‖ = √((1/n) Σ_i ‖f_i‖²)

    Outputs of a point are summed and points averaged, so that the Jacobian that goes with it is
    J/√n (Chizat, Oyallon & Bach 2019, arXiv:1812.07956, §2).

    >>> import torch
    >>> rms(torch.tensor([[3.0, 4.0], [0.0, 0.0]], dtype=torch.float64)).item() == 12.5**0.5
    True
    """
    return values.square().sum(-1).mean(-1).sqrt()
