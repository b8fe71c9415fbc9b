"""Arrays and one JSON head as an npz file, read without trust. No torch.

What runs and sweeps have in common as files: a schema, an engine version, limits on what they
unpack to, in bytes and in objects, and one error for whatever hostile bytes provoke.
"""

import io
import json
import math
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

import numpy as np

from lazycore.config.run import ENGINE_VERSION
from lazycore.config.spec import kind_of
from lazycore.errors import ConfigError, CorruptResult, LazyLabError, ResultNotFound

Arrays = dict[str, np.ndarray]
T = TypeVar("T")

MOST_MEMBERS = 400
LARGEST_HEAD, MOST_VALUES, DEEPEST = 16 * 2**20, 200_000, 12
"""Bytes of the JSON head, values in it, and how deep one may lie in another."""


def pack(head: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return a compressed npz file of this head, which gets the engine version, and arrays."""
    text = json.dumps({"engine_version": ENGINE_VERSION} | dict(head), allow_nan=False)
    buffer = io.BytesIO()
    line = np.frombuffer(text.encode(), dtype=np.uint8)
    np.savez_compressed(buffer, allow_pickle=False, head=line, **arrays)
    return buffer.getvalue()


def unpack(
    data: bytes, noun: str, schema: str, largest: int, assemble: Callable[[Any, Arrays], T]
) -> T:
    """Return what `assemble` makes of head and arrays; `CorruptResult` for anything else.

    noun: what it should be, for the sentence. largest: bytes that it may unpack to.
    """
    if not isinstance(data, bytes):
        raise ConfigError(f"data is {kind_of(data)}: give the bytes of a {noun}.")
    try:
        arrays = _arrays(data, noun, largest)
        head = _head(arrays.pop("head"), noun)
        _check(head, noun, schema)
        return assemble(head, arrays)
    except CorruptResult:
        raise
    except Exception as error:  # whatever hostile bytes provoke is one thing: not a result
        raise CorruptResult(
            f"these {len(data)} bytes are not a whole Lazy Lab {noun} "
            f"({type(error).__name__}): compute it again or choose another file."
        ) from error


def written(path: str | Path, write: Callable[[], Any]) -> Path:
    """Write a file as `write` does and return its path, or say in a sentence why not."""
    try:
        write()
    except OSError as error:
        raise LazyLabError(f"cannot write {path}: {error.strerror or error}.") from error
    return Path(path)


def read(path: str | Path) -> bytes:
    """Return the bytes of a file; `ResultNotFound` when it cannot be read."""
    if not isinstance(path, (str, Path)):
        raise ConfigError(f"path is {kind_of(path)}: give the path of a file.")
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a null sign in it is a ValueError
        said = getattr(error, "strerror", None) or error
        raise ResultNotFound(f"cannot read {path}: {said}.") from error


def _arrays(data: bytes, noun: str, largest: int) -> Arrays:
    """Return the arrays of an npz file; nothing is unpacked before all that they are to unpack
    to is known to be allowed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        items = archive.infolist()
        size = sum(item.file_size for item in items)
        if size > largest:
            raise CorruptResult(
                f"this file unpacks to {size / 2**20:.0f} MB, which no {noun} does: "
                f"at most {largest // 2**20} MB are read."
            )
        names = [item.filename.removesuffix(".npy") for item in items]
        if len(items) > MOST_MEMBERS or len(set(names)) < len(names):
            raise CorruptResult(
                f"this file holds {len(items)} arrays, which no {noun} does: at most "
                f"{MOST_MEMBERS} are read, each of a name of its own."
            )
        found = {}
        for name, item in zip(names, items, strict=True):
            with archive.open(item) as member:
                found[name] = _array(member, name, item.file_size, noun)
        return found


def _array(member: IO[bytes], name: str, size: int, noun: str) -> np.ndarray:
    """Return one array, whose head must claim just the bytes that the member has."""
    version = np.lib.format.read_magic(member)
    heads = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, _, dtype = heads[version](member)
    claimed = math.prod(map(int, shape)) * dtype.itemsize
    fits = 0 <= claimed == size - member.tell() and min(shape, default=0) >= 0
    if dtype.kind not in "fiubUS" or not fits:
        raise CorruptResult(
            f"the array {name[:40]} of this {noun} is not whole, or holds no numbers."
        )
    member.seek(0)
    return np.lib.format.read_array(member, allow_pickle=False)


def _head(line: np.ndarray, noun: str) -> Any:
    """Return the JSON in these bytes, which are counted before it is read."""
    text = line.tobytes()
    if len(text) > LARGEST_HEAD or sum(text.count(sign) for sign in b",[{") > MOST_VALUES:
        raise CorruptResult(
            f"the head of this {noun} is too long: at most {MOST_VALUES:,} values in "
            f"{LARGEST_HEAD // 2**20} MB are read."
        )
    head = json.loads(text.decode(), parse_constant=_no_number)
    level, depth = [head], 0
    while level:
        if depth > DEEPEST:
            raise CorruptResult(f"the head of this {noun} is nested too deep.")
        inside = [list(v.values()) if isinstance(v, dict) else v for v in level if _nests(v)]
        level, depth = [value for values in inside for value in values], depth + 1
    json.dumps(head, ensure_ascii=False).encode()  # half a character is no text
    return head


def _nests(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _check(head: Any, noun: str, schema: str) -> None:
    if head["schema"] != schema:
        raise CorruptResult(f"this is not a Lazy Lab {noun} of schema {schema}.")
    if head["engine_version"] != ENGINE_VERSION:
        raise CorruptResult(
            f"this {noun} is of engine version {str(head['engine_version'])[:40]}, this program is "
            f"version {ENGINE_VERSION}, whose numbers differ: compute it again."
        )
