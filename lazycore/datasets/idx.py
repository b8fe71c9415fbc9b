"""The IDX format of MNIST and its kin: a magic number, the sizes of the axes, then bytes."""

import struct

import numpy as np

from lazycore.errors import DataError

UNSIGNED_BYTE = 0x08


def parse(data: bytes, where: str, cure: str) -> np.ndarray:
    """Return the array of unsigned bytes that IDX data hold; `DataError` if they hold none.

    Four bytes: 0, 0, the type, the number of axes; their sizes as big-endian 32-bit numbers.
    """
    axes = data[3] if len(data) > 3 else 0
    head = 4 + 4 * axes
    if data[:3] != bytes((0, 0, UNSIGNED_BYTE)) or not 0 < axes < 5 or len(data) < head:
        raise DataError(f"{where} is not an IDX file of bytes; {cure}.")
    shape = struct.unpack(f">{axes}I", data[4:head])
    if len(data) - head != int(np.prod(shape, dtype=object)):
        raise DataError(f"{where} does not hold the {shape} bytes that it says; {cure}.")
    return np.frombuffer(data, dtype=np.uint8, offset=head).reshape(shape)


def render(array: np.ndarray) -> bytes:
    """Return an array of unsigned bytes as IDX data: what `parse` turns back."""
    head = bytes((0, 0, UNSIGNED_BYTE, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + np.ascontiguousarray(array, dtype=np.uint8).tobytes()
