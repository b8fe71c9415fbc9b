"""The bytes of a file: all, of the right checksum, or a sentence that says what is wrong."""

import gzip
import hashlib
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import IO

from lazycore.datasets.registry import File
from lazycore.errors import DataError

DAMAGE = (
    *(EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile),
    *(lzma.LZMAError, RuntimeError),
)
"""What reading an archive raises that is not whole; the last: encrypted, or oddly compressed."""

PART = ".part"
"""How the name of a file ends that is still being downloaded; no other file is read as one."""


def whole(path: Path, file: File, cure: str) -> bytes:
    """Return the content of `path`, unpacked if it is gzipped, after checking it.

    cure: what to do about a wrong file, as the end of a sentence.
    Raises `DataError` where it cannot be read, is cut off, or has another checksum.
    """
    with reading(path, cure), open(path, "rb") as stream:
        is_packed = path.name.removesuffix(PART).endswith(".gz")
        return checked(_content(stream, is_packed, file), str(path), file, cure)


def checked(data: bytes, where: str, file: File, cure: str) -> bytes:
    """Return these bytes if they are what `file` holds."""
    if len(data) != file.bytes:
        much = "more than" if len(data) > file.bytes else f"{len(data):,} of"
        raise DataError(f"{where} is not whole: it holds {much} {file.bytes:,} bytes; {cure}.")
    if file.checksum:
        kind, wanted = file.checksum.split(":")
        _compare(where, kind, hashlib.new(kind, data).hexdigest(), wanted, cure)
    return data


@contextmanager
def archive(path: Path, file: File, cure: str) -> Iterator[BufferedReader]:
    """Open an archive whose size and checksum are right; what is wrong in it is a `DataError`."""
    with reading(path, cure), open(path, "rb") as stream:
        verify(stream, str(path), file, cure)
        yield stream


def verify(stream: BufferedReader, where: str, file: File, cure: str) -> None:
    """Check the size and the checksum of an open file, and go back to its start."""
    size = stream.seek(0, 2)
    if size > file.bytes:
        raise DataError(
            f"{where} has {size:,} bytes, which is more than {file.name} can have; {cure}."
        )
    stream.seek(0)
    if file.checksum:
        kind, wanted = file.checksum.split(":")
        digest = hashlib.file_digest(stream, lambda: hashlib.new(kind)).hexdigest()
        _compare(where, kind, digest, wanted, cure)
    stream.seek(0)


def tar_members(
    stream: IO[bytes], wanted: Sequence[tuple[str, int]], where: str, cure: str
) -> list[bytes]:
    """Return the members of these names and sizes of a gzipped tar; nothing is extracted."""
    sizes, found = dict(wanted), {}
    with tarfile.open(fileobj=stream, mode="r:gz") as tar:
        for member in tar:
            _check_name(member.name, where, cure)
            if member.name not in sizes:
                continue
            if not member.isreg() or member.size != sizes[member.name]:
                raise DataError(
                    f"{where} is not what it should be: {member.name} is no file of "
                    f"{sizes[member.name]:,} bytes; {cure}."
                )
            inside = tar.extractfile(member)
            found[member.name] = inside.read() if inside else b""
    return [_there(found, name, where, cure) for name, _ in wanted]


def zip_members(
    stream: IO[bytes], wanted: Sequence[tuple[str, File]], where: str, cure: str
) -> list[bytes]:
    """Return the content of the members of these names of a zip, each gzipped or not."""
    found = {}
    with zipfile.ZipFile(stream) as archive:
        names = set(archive.namelist())
        for name in names:
            _check_name(name, where, cure)
        for name, file in wanted:
            if name in names:
                with archive.open(name) as inside:
                    data = _content(inside, name.endswith(".gz"), file)
                found[name] = checked(data, f"{name} in {where}", file, cure)
    return [_there(found, name, where, cure) for name, _ in wanted]


@contextmanager
def reading(path: Path | str, cure: str) -> Iterator[None]:
    """Say in a sentence what goes wrong while a file is read."""
    try:
        yield
    except DAMAGE as error:
        raise DataError(
            f"{path} is damaged or not whole ({str(error).rstrip('.') or 'it ends too early'}); "
            f"{cure}."
        ) from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}; {cure}.") from error


def _content(stream: IO[bytes], is_packed: bool, file: File) -> bytes:
    """Return at most one byte more than the file may hold, however much is packed in it."""
    if not is_packed:
        return stream.read(file.bytes + 1)
    with gzip.open(stream, "rb") as unpacked:
        return unpacked.read(file.bytes + 1)


def _compare(where: str, kind: str, found: str, wanted: str, cure: str) -> None:
    if found != wanted:
        name = {"sha256": "SHA-256", "md5": "MD5"}.get(kind, kind)
        raise DataError(
            f"{where} has the {name} checksum {found[:12]}… and should have {wanted[:12]}…: it is "
            f"damaged, or another file of that name; {cure}."
        )


def _check_name(name: str, where: str, cure: str) -> None:
    """Refuse an archive with a member whose name leads out of the archive."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts:
        raise DataError(
            f"{where} holds a member named {name[:60]!r}, which leads out of the archive: it is "
            f"not to be trusted; {cure}."
        )


def _there(found: dict[str, bytes], name: str, where: str, cure: str) -> bytes:
    if name not in found:
        raise DataError(f"{where} is not what it should be: it has no {name}; {cure}.")
    return found[name]
