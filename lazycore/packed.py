"""Arrays and one JSON head as an npz file, read without trust. No torch.

What runs and sweeps have in common as files: a schema, an engine version, a limit on what
they unpack to, and one error for whatever hostile bytes provoke.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from lazycore.config import ENGINE_VERSION
from lazycore.errors import CorruptResult, LazyLabError, ResultNotFound

Arrays = dict[str, np.ndarray]
T = TypeVar("T")


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
    try:
        arrays = _arrays(data, noun, largest)
        head = json.loads(arrays.pop("head").tobytes())
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
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ResultNotFound(f"cannot read {path}: {error.strerror}.") from error


def _arrays(data: bytes, noun: str, largest: int) -> Arrays:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = sum(item.file_size for item in archive.infolist())
    if size > largest:
        raise CorruptResult(
            f"this file unpacks to {size / 2**20:.0f} MB, which no {noun} does: "
            f"at most {largest // 2**20} MB are read."
        )
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _check(head: Any, noun: str, schema: str) -> None:
    if head["schema"] != schema:
        raise CorruptResult(f"this is not a Lazy Lab {noun} of schema {schema}.")
    if head["engine_version"] != ENGINE_VERSION:
        raise CorruptResult(
            f"this {noun} is of engine version {head['engine_version']}, this program is "
            f"version {ENGINE_VERSION}, whose numbers differ: compute it again."
        )
