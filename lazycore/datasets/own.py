"""A file of the user's own, chosen by its name and known by the hash of its content.

Files lie in the folder `own` of the data folder (`folders.py`). Only a *name* is ever taken,
from a config or a link, and only a file inside that folder is opened: no path leads out. The
hash is part of a run's config, so that equal digests are equal data; a file that has changed
since is refused.
"""

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from lazycore.datasets import description, folders, target
from lazycore.datasets.arrays import from_arrays
from lazycore.datasets.columns import are_constant
from lazycore.datasets.content import reading
from lazycore.datasets.description import Description
from lazycore.datasets.npz import ODD, zip_sizes
from lazycore.datasets.points import CURE, MOST_NUMBERS, MOST_ROWS, checked
from lazycore.datasets.rows import Raw, from_table
from lazycore.datasets.understood import AS_IT_IS, Choices, Question, Understood, span
from lazycore.errors import DataError
from lazycore.machine.apart import Limits, apart

FOLDER = "own"
SHIPPED = Path(__file__).parent / "files"
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,34}\.(npz|csv)"
NAME_IN_WORDS = (
    "the name of a file in the folder `own` of the data folder: letters, digits, _ . and -, "
    "ending in .npz or .csv"
)
LARGEST_FILE, LARGEST_ARRAYS = 64 * 2**20, 256 * 2**20
MOST_CLASSES = target.MOST_CLASSES
SMALL, MOST_UNPACKED = 2**17, 2**20
"""Bytes of a file, and of its arrays, up to which it is read where it is asked for."""
OF_FOLDER = Limits(60.0, 3000)
"""What reading a file may take that somebody put into the folder."""


@dataclass(frozen=True)
class Table:
    """The content of a file: x (n, …), y (n,) for training and, where it has them, for testing.

    Points are rows of numbers, or images (channels, height, width); a missing number is NaN
    where that was chosen. values: the targets that are taken for classes 0, 1, …, sorted; empty
    for real numbers, and where that is to be chosen, as `question` says.
    """

    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray] | None
    values: np.ndarray
    raw: Raw
    question: Question | None = None

    @property
    def classes(self) -> int:
        """How many classes the targets stand for, 0 for real numbers."""
        return len(self.values)

    @property
    def targets(self) -> np.ndarray:
        """The targets of all points."""
        return np.concatenate([y for _, y in (self.train, *([self.test] if self.test else []))])

    @property
    def allowed(self) -> tuple[int, ...]:
        """The numbers of classes that the targets can be taken for; 0: for real numbers."""
        count = len(np.unique(self.targets))
        as_classes = (count,) if 2 <= count <= MOST_CLASSES else ()
        return as_classes if self.raw.words else (*as_classes, 0)


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


def describe(name: str, choices: Choices = AS_IT_IS) -> Description:
    """Return what a config says of this file, read under these choices.

    Read once, then again when it has changed. Raises `DataError`, and `Question` for what has
    to be chosen first.
    """
    path = path_of(name)
    found = _describe(path, choices, *_stamp(path))
    if isinstance(found, Description):
        return found
    raise found.with_traceback(None)


def load(name: str, hash: str, choices: Choices = AS_IT_IS) -> Table:
    """Return the content of this file; `DataError` where it is not the content of that hash."""
    path = path_of(name)
    data = content(path)
    if (found := hash_of(data)) != hash:
        raise DataError(
            f"{path} is not the file that this run was described with (its content is {found}, "
            f"not {hash}): put that file back, or leave data_hash out to take this one."
        )
    return parse(data, str(path), choices)


def hash_now(name: str) -> str:
    """Return the hash of the content that the file of this name has now."""
    path = path_of(name)
    return _hash(path, *_stamp(path))


def hash_of(data: bytes) -> str:
    """Return sixteen hex digits of the SHA-256 of a file's bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


def _stamp(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file does."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


@lru_cache(maxsize=64)
def _hash(path: Path, *stamp: int) -> str:
    return hash_of(content(path))


@lru_cache(maxsize=64)
def _describe(path: Path, choices: Choices, *stamp: int) -> Description | DataError:
    """Return the description or what is wrong, which takes as long to find."""
    try:
        return look_at(content(path), str(path), choices, OF_FOLDER)
    except DataError as error:
        return error


def look_at(data: bytes, where: str, choices: Choices, limits: Limits) -> Description:
    """Return the description of a file of these bytes; what is not small is read apart."""
    if _is_small(data, where):
        return described(data, where, choices)
    words = [where, json.dumps(asdict(choices))]
    found = description.from_bytes(
        apart(f"{__name__}:describe_apart", data, words, limits, DataError)
    )
    if isinstance(found, Question):
        raise found
    return found


def describe_apart(data: bytes, where: str, choices: str) -> bytes:
    """Return the description as bytes; what a process of its own does."""
    fields = json.loads(choices)
    try:
        found = described(data, where, Choices(**fields | {"without": tuple(fields["without"])}))
    except Question as asked:
        return description.to_bytes(asked)
    return description.to_bytes(found)


def _is_small(data: bytes, where: str) -> bool:
    """Whether reading these bytes takes no time and no memory to speak of."""
    if len(data) > SMALL:
        return False
    try:
        return where.endswith(".csv") or sum(zip_sizes(data)) <= MOST_UNPACKED
    except ODD:
        return True  # no npz file, which is found at once


def described(data: bytes, where: str, choices: Choices = AS_IT_IS) -> Description:
    """Return what a config says of the file of these bytes."""
    found = parse(data, where, choices)
    x, _ = found.train
    return Description(
        hash=hash_of(data),
        shape=x.shape[1:],
        classes=None if found.question else found.classes,
        rows=len(x),
        test_rows=len(found.test[0]) if found.test else None,
        target=found.raw.chosen,
        allowed=found.allowed,
        question=found.question,
        understood=understood(found),
    )


def content(path: Path) -> bytes:
    """Return the bytes of an own file; `DataError` where it cannot be read or is too large."""
    with reading(path, CURE), open(path, "rb") as stream:
        data = stream.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise DataError(
            f"{path} has more than the {LARGEST_FILE // 2**20} MB that are read; {CURE}."
        )
    return data


def parse(data: bytes, where: str, choices: Choices = AS_IT_IS) -> Table:
    """Return the table in the bytes of an npz or CSV file named `where`.

    npz: `x_train y_train x_test y_test`, or `x y`. CSV: one row a point; the target and the
    columns that are left out are found as `target.py` and `columns.py` say. Raises
    `DataError`, and `Question` for what has to be chosen first.
    """
    if where.endswith(".csv"):
        raw = from_table(data, where, CURE, (MOST_ROWS, MOST_NUMBERS), choices)
    else:
        raw = from_arrays(data, where, CURE, LARGEST_ARRAYS, choices)
    parts = [checked(x, y, where, choices.missing == "mean", MOST_ROWS) for x, y in raw.parts]
    if len({x.shape[1:] for x, _ in parts}) > 1:
        raise DataError(f"the points of x_train and x_test in {where} differ in shape; {CURE}.")
    y, question = np.concatenate([y for _, y in parts]), None
    try:
        values = target.classes(y, raw.target, raw.words, choices.kind, where)
    except Question as asked:
        values, question = y[:0], asked
    return Table(parts[0], parts[1] if len(parts) > 1 else None, values, raw, question)


def class_indices(y: np.ndarray, values: np.ndarray | None = None) -> np.ndarray:
    """Return targets that stand for classes as whole numbers from 0, in the order of `values`
    (the different targets that there are, where left out)."""
    return np.searchsorted(np.unique(y) if values is None else values, y)


def understood(found: Table) -> Understood:
    """Return what was understood of a file, to be shown before anything is trained."""
    raw, y = found.raw, found.targets
    x = found.train[0]
    names = raw.words or tuple(f"{value:g}" for value in found.values)
    counts = np.bincount(class_indices(y, found.values), minlength=len(names)) if names else ()
    notes = list(raw.notes)
    constant = np.flatnonzero(are_constant(x)) if x.ndim == 2 else ()
    if len(constant):
        inputs = raw.inputs or tuple(f"column {i + 1}" for i in range(x.shape[1]))
        listed = ", ".join(inputs[i] for i in constant[:6]) + (", …" if len(constant) > 6 else "")
        notes.append(f"Constant among the points, so that they tell nothing and are 0: {listed}.")
    if found.classes and not raw.words and 0 in found.allowed:
        notes.append("With data_classes=0 the target is taken as numbers.")
    if not found.classes and y.min() == y.max():
        notes.append(f"All targets are {y[0]:g}, so that there is nothing to learn.")
    k = max(found.allowed)
    if not found.classes and not found.question and k and len(y) >= 2 * k and not np.any(y % 1.0):
        notes.append(f"With data_classes={k} the {k} whole numbers of the target are classes.")
    if found.question:
        said = str(found.question)
        notes.append(said[0].upper() + said[1:])
    return Understood(
        columns=raw.roles,
        target=raw.target,
        classes=tuple((n, int(c)) for n, c in zip(names, counts, strict=True)),
        inputs=math.prod(x.shape[1:]),
        rows=len(y),
        left_out=raw.left_out,
        span=span(y),
        notes=tuple(notes),
        preview=raw.preview,
    )
