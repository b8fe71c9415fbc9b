"""A file of the user's own, chosen by its name and known by the hash of its content.

Files lie in the folder `own` of the data folder (`folders.py`). Only a *name* is ever taken,
from a config or a link, and only a file inside that folder is opened: no path leads out. The
hash is part of a run's config, so that equal digests are equal data; a file that has changed
since is refused.
"""

import hashlib
import io
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from lazycore.datasets import folders, npz, table
from lazycore.datasets.content import reading
from lazycore.errors import DataError

FOLDER = "own"
SHIPPED = Path(__file__).parent / "files"
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,34}\.(npz|csv)"
NAME_IN_WORDS = (
    "the name of a file in the folder `own` of the data folder: letters, digits, _ . and -, "
    "ending in .npz or .csv"
)
LARGEST_FILE, LARGEST_ARRAYS = 64 * 2**20, 256 * 2**20
MOST_ROWS, MOST_NUMBERS, MOST_CLASSES = 100_000, 10_000, 100
LARGEST_NUMBER = 1e100
CURE = "correct the file, or give another data_file"


@dataclass(frozen=True)
class Table:
    """The content of a file: x (n, …), y (n,) for training and, where it has them, for testing.

    Points are rows of numbers, or images (channels, height, width). classes: how many the
    targets stand for, 0 for real numbers; `class_indices` counts them from 0.
    """

    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray] | None
    classes: int


@dataclass(frozen=True)
class Description:
    """What a config says of a file. test_rows: None where one table serves for both."""

    hash: str
    shape: tuple[int, ...]
    classes: int
    rows: int
    test_rows: int | None


def folder() -> Path:
    """Return the folder in which files of the user's own are looked for first."""
    return folders.user_folder() / FOLDER


def names() -> list[str]:
    """Return the names of the files there are, the shipped example included."""
    places = [*(root / FOLDER for root in folders.roots()), SHIPPED]
    found = {path.name for place in places if place.is_dir() for path in place.iterdir()}
    return sorted(name for name in found if re.fullmatch(NAME, name))


def path_of(name: str) -> Path:
    """Return where the file of that name lies; `DataError` for a name that leads elsewhere."""
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        raise DataError(f"data_file={str(name)[:40]!r} is not allowed: give {NAME_IN_WORDS}.")
    for place in [*(root / FOLDER for root in folders.roots()), SHIPPED]:
        path = place / name
        if path.is_file():
            if not path.resolve().is_relative_to(place.resolve()):
                raise DataError(f"{path} is a link that leads out of its folder: put a copy there.")
            return path
    raise DataError(f"there is no data file {name} here: put it into {folder()}, or {CURE}.")


def describe(name: str) -> Description:
    """Return what a config says of this file. Read once, then again when it has changed."""
    path = path_of(name)
    stamp = path.stat()
    return _describe(path, stamp.st_mtime_ns, stamp.st_size, stamp.st_ino)


def load(name: str, hash: str) -> Table:
    """Return the content of this file; `DataError` where it is not the content of that hash."""
    path = path_of(name)
    data = _bytes(path)
    if (found := hash_of(data)) != hash:
        raise DataError(
            f"{path} is not the file that this run was described with (its content is {found}, "
            f"not {hash}): put that file back, or leave data_hash out to take this one."
        )
    return parse(data, str(path))


def hash_of(data: bytes) -> str:
    """Return sixteen hex digits of the SHA-256 of a file's bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


@lru_cache(maxsize=64)
def _describe(path: Path, *stamp: int) -> Description:
    data = _bytes(path)
    found = parse(data, str(path))
    x, _ = found.train
    return Description(
        hash=hash_of(data),
        shape=x.shape[1:],
        classes=found.classes,
        rows=len(x),
        test_rows=len(found.test[0]) if found.test else None,
    )


def _bytes(path: Path) -> bytes:
    with reading(path, CURE), open(path, "rb") as stream:
        data = stream.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise DataError(
            f"{path} has more than the {LARGEST_FILE // 2**20} MB that are read; {CURE}."
        )
    return data


def parse(data: bytes, where: str) -> Table:
    """Return the table in the bytes of an npz or CSV file named `where`.

    npz: `x_train y_train x_test y_test`, or `x y`. CSV: one row a point, the target last.
    Targets that are the whole numbers 0, 1, …, k − 1 (k ≤ 100), or −1 and 1, are classes.
    """
    if where.endswith(".csv"):
        numbers = table.read(data, where, CURE, MOST_ROWS)
        parts = [(numbers[:, :-1], numbers[:, -1])]
    else:
        parts = _arrays(data, where)
    parts = [_checked(x, y, where) for x, y in parts]
    if len({x.shape[1:] for x, _ in parts}) > 1:
        raise DataError(f"the points of x_train and x_test in {where} differ in shape; {CURE}.")
    classes = _classes(np.concatenate([y for _, y in parts]))
    return Table(parts[0], parts[1] if len(parts) > 1 else None, classes)


def class_indices(y: np.ndarray) -> np.ndarray:
    """Return targets that stand for classes as whole numbers from 0; −1 is 0."""
    return np.maximum(y, 0.0).astype(int)


def _arrays(data: bytes, where: str) -> list[tuple[np.ndarray, np.ndarray]]:
    keys = ("x_train", "y_train", "x_test", "y_test", "x", "y")
    found = npz.read(io.BytesIO(data), where, keys, LARGEST_ARRAYS, CURE)
    whole = keys[:4] if "x_train" in found else keys[4:]
    if missing := [key for key in whole if key not in found]:
        raise DataError(
            f"{where} has no array {missing[0]}: an npz file holds x_train, y_train, x_test and "
            f"y_test, or x and y; {CURE}."
        )
    return [(found[x], found[y]) for x, y in zip(whole[::2], whole[1::2], strict=True)]


def _checked(x: np.ndarray, y: np.ndarray, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Return points and targets as numbers, images with their channels first."""
    if x.dtype.kind not in "fiub" or y.dtype.kind not in "fiub":
        raise DataError(f"{where} holds arrays that are no real numbers; {CURE}.")
    x, y = np.asarray(x), y.reshape(-1).astype(np.float64)
    if not 1 <= x.ndim <= 4 or len(x) != len(y) or len(x) == 0:
        raise DataError(
            f"{where} holds points of shape {x.shape} and {len(y)} targets: give one target to "
            f"each point, and rows of numbers or images; {CURE}."
        )
    x = _channels_first(x[:, None] if x.ndim == 1 else x, where)
    if len(x) > MOST_ROWS or math.prod(x.shape[1:]) > MOST_NUMBERS:
        raise DataError(
            f"{where} holds points of shape {x.shape}: at most {MOST_ROWS:,} points of "
            f"{MOST_NUMBERS:,} numbers are read; {CURE}."
        )
    if x.size == 0:
        raise DataError(f"{where} holds points without a number; {CURE}.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise DataError(f"{where} holds NaN or ∞: every number must be finite; {CURE}.")
    if max(_size(x), _size(y)) > LARGEST_NUMBER:
        raise DataError(
            f"{where} holds numbers above {LARGEST_NUMBER:g}, whose squares are too large; {CURE}."
        )
    return x, y


def _size(values: np.ndarray) -> float:
    return max(abs(float(values.max())), abs(float(values.min())))


def _channels_first(x: np.ndarray, where: str) -> np.ndarray:
    """Return rows as they are, and images as (n, channels, height, width)."""
    if x.ndim == 2:
        return x
    if x.ndim == 3:
        return x[:, None]
    if x.shape[3] in (1, 3):
        return x.transpose(0, 3, 1, 2)
    if x.shape[1] in (1, 3):
        return x
    raise DataError(
        f"{where} holds images of shape {x.shape[1:]}, without 1 or 3 channels; {CURE}."
    )


def _classes(y: np.ndarray) -> int:
    """Return the number of classes that these targets stand for, 0 for real numbers."""
    values = np.unique(y)
    if np.array_equal(values, [-1.0, 1.0]):
        return 2
    count = len(values)
    return count if 2 <= count <= MOST_CLASSES and np.array_equal(values, np.arange(count)) else 0
