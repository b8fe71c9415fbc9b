"""Sums of products of rows, tile by tile, into one result that is there already."""

import os
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

LIMIT = 2**28
"""Bytes that forming a kernel may take beside its factors and its result."""

TILE = 512
"""Rows and columns of the result worked on at once: a few tiles stay in the cache."""

_POOL = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS")

Array = Any
"""A numpy array or a torch tensor: what follows reads the same for both."""


def numpy_serves(tensor: Tensor) -> bool:
    """Whether numpy's BLAS and LAPACK are to work on this tensor rather than torch's.

    On the CPU with one thread each: numpy's products are up to 1.25 times as fast there, A Aᵀ
    twice, eigenvectors 1.4 times (measured on AMD; about even elsewhere). With more threads
    the two libraries' pools would fight for the cores, so everything is left to torch.
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


def tiles(rows: int, columns: int | None, side: int) -> Iterator[tuple[slice, slice]]:
    """Yield the tiles of a matrix; those on and above the diagonal when `columns` is None."""
    end = rows if columns is None else columns
    for top in range(0, rows, side):
        for left in range(top if columns is None else 0, end, side):
            yield slice(top, min(top + side, rows)), slice(left, min(left + side, end))


def add_products(total: Array, rows: Array, others: Array | None) -> None:
    """Add rows · othersᵀ to `total`; where there are no others, rows · rowsᵀ to its upper tiles.

    Tiles on the diagonal are A Aᵀ, which BLAS does in half the time.
    """
    second = rows if others is None else others
    for r, c in tiles(len(rows), None if others is None else len(others), TILE):
        part = total[r, c]
        part += rows[r] @ second[c].T


def mirror(total: Tensor) -> None:
    """Write the upper half of a square matrix to its lower half."""
    for r, c in tiles(len(total), None, TILE):
        if r != c:
            total[c, r] = total[r, c].T
        else:
            corner = total[r, c].triu()
            total[r, c] = corner + corner.triu(1).T
