"""Which library multiplies: numpy's BLAS or torch's.

On processors of AMD with AVX-512 numpy's products of float64 are 1.6 times as fast as torch's,
whose library takes AVX2 there; elsewhere they are about even (docs/log/speed.md, 2026-11-27).
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from lazycore.machine.threads import numpy_has_one

SMALLEST = 2**16
"""Multiply-adds from which on handing a product over costs little of it."""

Array = Any
"""A numpy array or a torch tensor: what follows reads the same for both."""


def numpy_serves(tensor: Tensor) -> bool:
    """Whether numpy's BLAS and LAPACK are to work on this tensor rather than torch's.

    On the CPU with one thread each: numpy's A Aᵀ is twice as fast there, eigenvectors 1.4 times.
    With more threads the two libraries' pools would fight for the cores, so everything is left
    to torch.
    """
    single = torch.get_num_threads() == 1 and numpy_has_one()
    exact = tensor.dtype in (torch.float32, torch.float64)
    return tensor.device.type == "cpu" and exact and single


def arrays(*tensors: Tensor) -> list[Array]:
    """Return these tensors as the library that is to multiply them takes them."""
    contiguous = [tensor.detach().contiguous() for tensor in tensors]
    if all(numpy_serves(tensor) for tensor in contiguous):
        return [tensor.numpy() for tensor in contiguous]
    return contiguous


def product(a: Tensor, b: Tensor) -> Tensor:
    """Return a @ b for a (…, i, j) and b (j,), (j, k) or (…, j, k)."""
    if a.numel() * b.shape[-1] < SMALLEST or not numpy_serves(a):
        return a @ b
    folds = a.ndim > 2 and b.ndim == 2  # one product for all of the first axes
    try:
        left, right = (a.flatten(0, -2) if folds else a).numpy(), b.numpy()
    except RuntimeError:  # autograd follows it, or a transform of torch.func
        return a @ b
    with np.errstate(all="ignore"):  # what has diverged is found by whoever looks at it
        found = torch.from_numpy(np.matmul(left, right))
    return found.unflatten(0, a.shape[:-1]) if folds else found
