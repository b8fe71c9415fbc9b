"""Which library multiplies: numpy's BLAS or torch's.

On processors of AMD with AVX-512 numpy's products of float64 are 1.6 times as fast as torch's,
whose library takes AVX2 there; elsewhere they are about even (LOG.md, 2026-11-27).
"""

import os
from typing import Any

import numpy as np
import torch
from torch import Tensor

SMALLEST = 2**16
"""Multiply-adds from which on handing a product over costs little of it."""

_POOL = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS")

Array = Any
"""A numpy array or a torch tensor: what follows reads the same for both."""


def numpy_serves(tensor: Tensor) -> bool:
    """Whether numpy's BLAS and LAPACK are to work on this tensor rather than torch's.

    On the CPU with one thread each: numpy's A Aᵀ is twice as fast there, eigenvectors 1.4 times.
    With more threads the two libraries' pools would fight for the cores, so everything is left
    to torch.
    """
    single = torch.get_num_threads() == 1 and (_POOL == "1" or os.cpu_count() == 1)
    exact = tensor.dtype in (torch.float32, torch.float64)
    return tensor.device.type == "cpu" and exact and single


def arrays(*tensors: Tensor) -> list[Array]:
    """Return these tensors as the library that is to multiply them takes them."""
    contiguous = [tensor.detach().contiguous() for tensor in tensors]
    if all(numpy_serves(tensor) for tensor in contiguous):
        return [tensor.numpy() for tensor in contiguous]
    return contiguous


def product(a: Tensor, b: Tensor) -> Tensor:
    """Return a @ b for a (…, i, j) and b (j,), (j, k) or (…, j, k).

    All axes of a that share one b (j, k) go through one product. Where b is (1, j, k), the first
    axis of a is kept: equal matrices along it then give equal numbers to the last bit, which
    rows of one product do not.
    """
    kept = b.ndim - 2
    folds = b.ndim > 1 and a.ndim > b.ndim and b.shape[:-2].numel() == 1 and kept <= 1
    left = a.flatten(kept, -2) if folds else a
    found = _product(left, b)
    return found.unflatten(kept, a.shape[kept:-1]) if folds else found


def _product(a: Tensor, b: Tensor) -> Tensor:
    if a.numel() * b.shape[-1] < SMALLEST or not numpy_serves(a):
        return a @ b
    try:
        left, right = a.numpy(), b.numpy()
    except RuntimeError:  # autograd follows it, or a transform of torch.func
        return a @ b
    with np.errstate(all="ignore"):  # what has diverged is found by whoever looks at it
        return torch.from_numpy(np.matmul(left, right))
