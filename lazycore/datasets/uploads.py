"""Files that come in through the page: kept under a safe name, or refused; and a first look."""

import json
import os
import re
import secrets
from functools import lru_cache
from pathlib import Path

from lazycore.datasets import own, table
from lazycore.datasets.columns import columns
from lazycore.datasets.content import PART
from lazycore.datasets.rows import EXTRA, PREVIEWED
from lazycore.datasets.understood import AS_IT_IS, Question
from lazycore.errors import DataError
from lazycore.machine.apart import Limits, apart

ENDINGS = {"csv": "csv", "tsv": "csv", "txt": "csv", "data": "csv", "dat": "csv", "npz": "npz"}
"""The endings that are taken, and what the file is kept as."""
LARGEST_UPLOAD = 5 * 2**20
OF_UPLOADS = Limits(10.0, 250)
"""What reading a file may take that comes in through the page."""
MOST_FILES, MOST_BYTES = 500, 2**30
"""What the folder of own files holds in all, before more are refused."""
LONGEST_STEM = 22


def keep(name: str, data: bytes) -> str:
    """Put a file into the folder `own`, whole or not at all, and return its name there.

    Of the name that it came with only letters, digits, _ and - are kept. A file of that name
    and other content stays as it is: runs may be of it; the new one gets its hash into its
    name. Raises `DataError` for what cannot be read as data, is too large, or where the folder
    is full.
    """
    if len(data) > LARGEST_UPLOAD:
        raise DataError(
            f"the file has more than the {LARGEST_UPLOAD // 2**20} MB that are taken here: put "
            f"it into {own.FOLDER}, a folder of the data folder, or give a part of it."
        )
    stem, ending = safe(name)
    try:
        own.look_at(data, f"{stem}.{ending}", AS_IT_IS, OF_UPLOADS)
    except Question:
        pass  # it can be read, once that is answered
    folder = own.folder()
    hash = own.hash_of(data)
    for kept in (f"{stem}.{ending}", f"{stem}-{hash[:8]}.{ending}"):
        path = folder / kept
        if not _is_taken(kept):
            _write(path, data)
            return kept
        if path.is_file() and own.hash_now(kept) == hash:
            return kept
    raise DataError(f"there is another file named {kept} here: give yours another name.")


def safe(name: str) -> tuple[str, str]:
    """Return the stem and the ending under which a file that came with this name is kept."""
    last = re.split(r"[/\\]", name)[-1]
    stem, point, ending = last.rpartition(".")
    if not point or ending.lower() not in ENDINGS:
        raise DataError(
            f"a file named {last[-40:]!r} is not taken: give a table as text (.csv, .tsv, .txt) "
            "or arrays of numpy (.npz); Excel saves a sheet as CSV."
        )
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_-")[:LONGEST_STEM]
    return plain or "table", ENDINGS[ending.lower()]


def preview(name: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the names of the columns of an own table and its first rows, cell by cell; nothing
    for arrays. Raises `DataError` for what is no table."""
    path = own.path_of(name)
    stamp = path.stat()
    return _preview(path, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=16)
def _preview(path: Path, *stamp: int) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    if path.suffix != ".csv":
        return (), ()
    data = own.content(path)
    if len(data) <= own.SMALL:
        return first_rows(data, str(path))
    found = apart(f"{__name__}:preview_apart", data, [str(path)], own.OF_FOLDER, DataError)
    names, rows = json.loads(found)
    return tuple(names), tuple(map(tuple, rows))


def first_rows(data: bytes, where: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the names of the columns of a table and its first rows, cell by cell."""
    grid = table.read(data, where, own.CURE, own.MOST_ROWS, own.MOST_NUMBERS + EXTRA)
    rows = zip(*(cells[:PREVIEWED] for cells in grid.columns), strict=True)
    return tuple(column.name for column in columns(grid)), tuple(rows)


def preview_apart(data: bytes, where: str) -> bytes:
    """Return the same as bytes; what a process of its own does."""
    return json.dumps(first_rows(data, where)).encode()


def _is_taken(name: str) -> bool:
    """Whether an own file of that name is here, the shipped example included."""
    try:
        own.path_of(name)
    except DataError:
        return False
    return True


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; `DataError` where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sizes = [entry.stat().st_size for entry in os.scandir(path.parent) if entry.is_file()]
        if len(sizes) >= MOST_FILES or sum(sizes) + len(data) > MOST_BYTES:
            raise DataError(
                f"the folder of own files is full ({len(sizes)} files, "
                f"{sum(sizes) / 2**20:.0f} MB): remove some of them first."
            )
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART}")
        try:
            part.write_bytes(data)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"cannot keep the file {path.name}: {error.strerror or error}.") from error
