"""Fetching a set, when a person asks for it: checked before it is there under its own name.

Bytes go to `NAME.part`, which nothing reads. Only when they are all there and have the
right checksum is it renamed, so that a file under its own name is a whole one. What broke off
is gone on with the next time.
"""

import fcntl
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO

from lazycore.datasets import content, folders
from lazycore.datasets.registry import File, ImageSet
from lazycore.errors import DataError

CHUNK = 2**18
PATIENCE = 30.0
"""Seconds without a byte after which a server is given up."""
SLACK = 2**16
"""Bytes by which a gzipped file may be longer than its content."""

Progress = Callable[[str, int, int | None], None]
"""(file name, bytes so far, bytes in all if the server says)."""


def fetch(
    found: ImageSet, data_dir: str | Path | None = None, progress: Progress | None = None
) -> list[Path]:
    """Download the files of a set that are not there yet, and return where all of them are.

    data_dir: the folder; the user's data folder when None. A file that is there and right is
    not fetched again, one that is wrong is replaced. Raises `DataError` where the server
    cannot be had, sends something else, or the folder cannot be written.
    """
    folder = (Path(data_dir) if data_dir else folders.user_folder()) / found.folder
    paths = []
    for file in found.files:
        path = folder / file.stored_as
        if not _is_right(path, file):
            with content.reading(folder, "choose another folder with --data-dir"):
                folder.mkdir(parents=True, exist_ok=True)
            _download(path, file, progress or _silent)
        paths.append(path)
    return paths


def _download(path: Path, file: File, progress: Progress) -> None:
    part = path.with_name(path.name + content.PART)
    cure = "run the same command again"
    with content.reading(part, cure), _alone_with(part) as out:
        if not _is_right(part, file):
            _receive(out, file, progress)
            out.flush()
            try:
                _check(part, file, cure)
            except DataError:
                out.truncate(0)  # going on from wrong bytes would never end
                raise
        os.replace(part, path)


@contextmanager
def _alone_with(part: Path) -> Iterator[IO[bytes]]:
    """Open a part to go on with it, for one process at a time; an empty one does not stay."""
    with open(part, "ab") as out:
        try:
            fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had it until now may have renamed what was opened here.
            if os.fstat(out.fileno()).st_ino != part.stat().st_ino:
                raise BlockingIOError
        except (BlockingIOError, FileNotFoundError) as error:
            raise DataError(
                f"{part} is being downloaded by another process: wait for it."
            ) from error
        try:
            yield out
        finally:
            out.flush()
            if part.exists() and part.stat().st_size == 0:
                part.unlink()


def _receive(out: IO[bytes], file: File, progress: Progress) -> None:
    """Append what is still missing; start anew where the server cannot go on."""
    have = out.tell()
    request = urllib.request.Request(file.url, headers={"User-Agent": "lazylab"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            span = str(answer.headers.get("Content-Range") or "")
            if have and not (answer.status == 206 and span.startswith(f"bytes {have}-")):
                out.truncate(0)
                have = 0
            length = answer.headers.get("Content-Length")
            total = have + int(length) if length and length.isdigit() else None
            _copy(answer, out, have, total, file, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing is missing, and yet it was not right
            out.truncate(0)
            return
        raise DataError(f"{file.url} answers {error.code} {error.reason}: try later.") from error
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise DataError(
            f"{file.url} cannot be had ({reason}): what has come is kept, run the same command "
            "again, or copy the file from elsewhere."
        ) from error


def _copy(
    answer: IO[bytes],
    out: IO[bytes],
    have: int,
    total: int | None,
    file: File,
    progress: Progress,
) -> None:
    most = file.bytes + SLACK
    while chunk := answer.read(CHUNK):
        have += len(chunk)
        if have > most:
            out.truncate(0)
            raise DataError(
                f"{file.url} sends more than the {most:,} bytes that {file.stored_as} can have: "
                "that is not the file, and nothing of it is kept."
            )
        out.write(chunk)
        progress(file.stored_as, have, total)
    if total is not None and have < total:
        raise DataError(
            f"{file.url} broke off after {have:,} of {total:,} bytes: they are kept, run the same "
            "command again to go on."
        )


def _check(path: Path, file: File, cure: str) -> None:
    """Raise `DataError` unless the file is whole and has its checksum."""
    if file.packed:
        content.whole(path, file, cure)
    else:
        with content.archive(path, file, cure):
            pass


def _is_right(path: Path, file: File) -> bool:
    try:
        _check(path, file, "")
    except DataError:
        return False
    return True


def _silent(name: str, have: int, total: int | None) -> None:
    """Say nothing."""
