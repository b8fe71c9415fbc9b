"""Arrays of an npz file, read without trust: no objects, no more than a limit, no odd names."""

import io
import tokenize
import zipfile
from collections.abc import Collection
from typing import IO

import numpy as np

from lazycore.datasets.content import reading
from lazycore.errors import DataError

ODD = (ValueError, TypeError, KeyError, SyntaxError, OverflowError, tokenize.TokenError)
ODD += (zipfile.BadZipFile, NotImplementedError, RecursionError)
"""What zipfile and numpy raise for bytes that were made up."""


def zip_sizes(data: bytes) -> list[int]:
    """Return the bytes that each member of a zip unpacks to."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [member.file_size for member in archive.infolist()]


def read(
    stream: IO[bytes], where: str, keys: Collection[str], largest: int, cure: str
) -> dict[str, np.ndarray]:
    """Return those of the arrays `keys` that an open npz file has.

    where: its name, for sentences. largest: bytes that the arrays may have in all, checked
    against what each one's head says before it is unpacked. Raises `DataError` for anything
    that is not whole arrays of numbers.
    """
    try:
        with reading(where, cure), zipfile.ZipFile(stream) as archive:
            there = set(archive.namelist())
            wanted = [key for key in keys if f"{key}.npy" in there]
            left = largest
            for key in wanted:
                with archive.open(f"{key}.npy") as member:
                    left -= _bytes(member, f"{key} in {where}", cure)
                if left < 0:
                    raise DataError(
                        f"{where} holds more than the {largest / 2**20:.0f} MB that are read; "
                        f"{cure}."
                    )
            # Not by `np.load`, which takes a member without .npy of which no head was read.
            return {key: _array(archive, key) for key in wanted}
    except ODD as error:
        raise DataError(f"{where} is damaged or not whole ({_short(error)}); {cure}.") from error


def _array(archive: zipfile.ZipFile, key: str) -> np.ndarray:
    with archive.open(f"{key}.npy") as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def _bytes(member, where: str, cure: str) -> int:
    """Return the bytes of an array from its head; objects are refused."""
    try:
        version = np.lib.format.read_magic(member)
        heads = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        shape, _, dtype = heads[version](member)
    except ODD as error:
        raise DataError(f"{where} is not an array of numpy ({_short(error)}); {cure}.") from error
    if dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects, which would have to be unpickled: they are never "
            f"opened; {cure}."
        )
    return abs(int(np.prod(shape, dtype=object))) * dtype.itemsize


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:80].rstrip(".")
