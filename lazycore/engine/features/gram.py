"""Sums of products of rows, tile by tile, into one result that is there already."""

from collections.abc import Iterator

from torch import Tensor

from lazycore.machine.blas import Array

LIMIT = 2**28
"""Bytes that forming a kernel may take beside its factors and its result."""

TILE = 512
"""Rows and columns of the result worked on at once: a few tiles stay in the cache."""


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
