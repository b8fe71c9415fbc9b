"""Where finished runs are kept: content-addressed bytes on disk that are never trusted.

The store is a diskcache directory (SQLite for the index, files for what is large), which
several processes may open at once. Three things make it ours: values are bytes and nothing
else, a row that claims to be a pickle is refused wherever diskcache would load it
(CVE-2025-69872: plain diskcache loads whatever the row says), and a write either lands whole
or raises `StoreFull`. When the size limit is reached what was used longest ago goes first
(`lazycore/results/eviction.py`), and nothing that is being shown or computed.

Beside each result may stand a *partial* result (what a running or cancelled job had so far)
and a *note* (JSON: how far it is, why it ended), because a job's queue row says neither. The
table of a sweep stands apart from the runs, which its cells are.
"""

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import diskcache

from lazycore.errors import ConfigError, CorruptResult, ResultNotFound, StoreFull
from lazycore.machine.places import default_root
from lazycore.results.bytesdisk import BytesDisk
from lazycore.results.eviction import USUAL_MB, Room, size_limit
from lazycore.results.fulldisk import says_full
from lazycore.results.run import RunResult
from lazycore.results.sweep import SweepResult

DIGEST = re.compile(r"[0-9a-f]{16,64}")

Kind = TypeVar("Kind", RunResult, SweepResult)


def open_store(root: Path | None = None) -> "ResultStore":
    """Return the store under `root`, by default under `default_root()`, of the size that
    $LAZYLAB_STORE_MB says."""
    return ResultStore(root or default_root(), size_limit())


def checked_digest(digest: str) -> str:
    """Return `digest` when it can name a run; anything else, a path included, is refused."""
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise ConfigError(f"{str(digest)[:80]!r} names no run: a digest is 16 to 64 hex digits.")
    return digest


class ResultStore:
    """Results by digest under `root`/results. Safe to share between threads and processes."""

    def __init__(self, root: Path, size_limit: int = USUAL_MB * 2**20) -> None:
        self.directory = Path(root) / "results"
        self.size_limit = size_limit
        with self._full_disk_is_said():
            self.directory.mkdir(parents=True, exist_ok=True)
            self.directory.chmod(0o700)
            self._cache = diskcache.Cache(
                str(self.directory),
                timeout=10,
                disk=BytesDisk,
                eviction_policy="none",  # we make room ourselves
                cull_limit=0,
            )
            self._room = Room(self._cache, self.directory, size_limit)

    def close(self) -> None:
        self._cache.close()

    def put(self, digest: str, data: bytes) -> None:
        """Keep `data` as the result of `digest`, whole or not at all."""
        self._set(checked_digest(digest), data)

    def get(self, digest: str) -> RunResult:
        """Return the result of `digest`.

        Raises ResultNotFound when there is none, CorruptResult when what is stored is not a
        whole result of that run; such a row is dropped, so that the run can be had again.
        """
        return self._result(RunResult, checked_digest(digest), digest)

    def get_bytes(self, digest: str, kind: str = "") -> bytes:
        """Return the stored bytes of `digest` unread, with `sweep:` of its table; errors: `get`."""
        return self._bytes(kind + checked_digest(digest), digest)

    def put_own(self, result: RunResult) -> None:
        """Keep the result of an own module under the digest of its content, if it is not there."""
        if result.config is not None:
            raise ConfigError(f"The run {result.digest} has a config: run it to have it here.")
        if result.digest not in self:
            self._set(result.digest, result.to_bytes())
        self._set("own:" + result.digest, b"")

    def put_partial(self, digest: str, data: bytes) -> None:
        """Keep what a run has computed so far, replacing what it had before."""
        self._set("partial:" + checked_digest(digest), data)

    def get_partial(self, digest: str) -> RunResult:
        """Return what an unfinished run of `digest` last computed; errors as for `get`."""
        return self._result(RunResult, "partial:" + checked_digest(digest), digest)

    def put_sweep(self, digest: str, data: bytes) -> None:
        """Keep `data` as the table of the sweep `digest`, whole or not at all."""
        self._set("sweep:" + checked_digest(digest), data)

    def get_sweep(self, digest: str) -> SweepResult:
        """Return the table of a finished sweep; errors as for `get`."""
        return self._result(SweepResult, "sweep:" + checked_digest(digest), digest)

    def put_partial_sweep(self, digest: str, data: bytes) -> None:
        """Keep the table of a sweep as far as it has come, replacing what it had before."""
        self._set("partial-sweep:" + checked_digest(digest), data)

    def get_partial_sweep(self, digest: str) -> SweepResult:
        """Return the table of an unfinished sweep; errors as for `get`."""
        return self._result(SweepResult, "partial-sweep:" + checked_digest(digest), digest)

    def put_note(self, digest: str, note: dict) -> None:
        """Keep what is to be said of the job of `digest` beside its result."""
        self._set("note:" + checked_digest(digest), json.dumps(note, allow_nan=False).encode())

    def get_note(self, digest: str) -> dict | None:
        """Return the note of `digest`, None when there is none or it is not readable."""
        key = "note:" + checked_digest(digest)
        try:
            note = json.loads(self._bytes(key, digest))
        except (ResultNotFound, CorruptResult):
            return None
        except ValueError:
            self._drop(key)
            return None
        return note if isinstance(note, dict) else None

    def has_whole(self, digest: str) -> bool:
        """Whether `get` would return a result; one that is stored but not whole is dropped."""
        return self.find(digest) is not None

    def find(self, digest: str) -> RunResult | None:
        """Return the result of `digest`, None when there is none that is whole."""
        try:
            return self.get(digest)
        except (ResultNotFound, CorruptResult):
            return None

    def has_whole_sweep(self, digest: str) -> bool:
        """Whether `get_sweep` would return a table; one that is not whole is dropped."""
        try:
            self.get_sweep(digest)
        except (ResultNotFound, CorruptResult):
            return False
        return True

    def has_sweep(self, digest: str) -> bool:
        """Whether the table of the finished sweep `digest` is stored."""
        return "sweep:" + checked_digest(digest) in self._cache

    def __contains__(self, digest: str) -> bool:
        """Whether the result of the finished run `digest` is stored."""
        return checked_digest(digest) in self._cache

    def keep(self, digests: Iterable[str], seconds: float) -> None:
        """Let nothing of these digests make room for others for so many seconds."""
        with contextlib.suppress(sqlite3.OperationalError):
            self._room.keep([checked_digest(digest) for digest in digests], seconds)

    def delete(self, digest: str) -> None:
        """Forget the result or table, the partial one and the note of `digest`.

        Of a sweep, the runs that are its cells stay.
        """
        self._drop(checked_digest(digest))
        self._drop("sweep:" + digest)
        self._drop("own:" + digest)
        self.delete_partial(digest)
        self.delete_note(digest)

    def delete_partial(self, digest: str) -> None:
        """Forget the partial result or table of `digest`."""
        self._drop("partial:" + checked_digest(digest))
        self._drop("partial-sweep:" + digest)

    def delete_note(self, digest: str) -> None:
        """Forget the note of `digest`."""
        self._drop("note:" + checked_digest(digest))

    def digests(self, kind: str = "") -> list[str]:
        """Return the digests of all finished results, oldest first; with `own:` of own modules."""
        try:
            keys = list(self._cache)
        except CorruptResult:
            self._drop_pickled_keys()
            keys = list(self._cache)
        found = [k.removeprefix(kind) for k in keys if isinstance(k, str) and k.startswith(kind)]
        return [digest for digest in found if DIGEST.fullmatch(digest)]

    def _result(self, kind: type[Kind], key: str, digest: str) -> Kind:
        data = self._bytes(key, digest)
        try:
            result = kind.from_bytes(data)
        except CorruptResult as error:
            self._drop(key)
            raise CorruptResult(_again(digest, str(error))) from error
        if result.digest != digest:
            self._drop(key)
            raise CorruptResult(_again(digest, f"it is the result of another run {result.digest}"))
        return result

    def _bytes(self, key: str, digest: str) -> bytes:
        try:
            data = self._read(key, mark_used=key in (digest, "sweep:" + digest))
        except CorruptResult as error:
            self._drop(key)
            raise CorruptResult(_again(digest, str(error))) from None
        if data is None:
            raise ResultNotFound(f"No result of run {digest} is stored; run it to have one.")
        if not isinstance(data, bytes):
            self._drop(key)
            raise CorruptResult(_again(digest, "it is not a result"))
        return data

    def _read(self, key: str, mark_used: bool) -> object:
        """Return the value of `key`, None when there is none. A value whose file was replaced
        while it was read is read again; one whose file is gone for good is dropped."""
        for _ in range(3):
            value = self._read_once(key, mark_used)
            if value is not None or key not in self._cache:
                return value
        self._drop(key)
        return None

    def _read_once(self, key: str, mark_used: bool) -> object:
        value = self._cache.get(key)
        if mark_used and value is not None:
            # A full disk must not keep anyone from reading what is there.
            with contextlib.suppress(sqlite3.OperationalError):
                self._room.use(key)
        return value

    def _set(self, key: str, data: bytes) -> None:
        if len(data) > self.size_limit:
            raise StoreFull(
                f"A result of {len(data):,} bytes does not fit into the store, whose limit is "
                f"{self.size_limit:,}; set LAZYLAB_STORE_MB higher or record fewer times."
            )
        disk: Any = self._cache.disk
        written = disk.written
        written.name = None
        try:
            with self._full_disk_is_said():
                self._cache.set(key, data)
                fits = self._room.make(just_put=key)
        except BaseException:
            # diskcache rolls its row back but leaves the value's file behind.
            if written.name:
                disk.remove(written.name)
            raise
        if not fits and DIGEST.fullmatch(key.removeprefix("sweep:")):
            self._drop(key)
            raise StoreFull(
                f"All that the store holds is being shown or computed, {self.size_limit:,} bytes "
                "in all; set LAZYLAB_STORE_MB higher or wait until a sweep has ended."
            )

    def _drop(self, key: str) -> None:
        with self._full_disk_is_said():
            self._cache.delete(key)

    def _drop_pickled_keys(self) -> None:
        connection = sqlite3.connect(self.directory / "cache.db", timeout=10)
        try:
            with connection:
                connection.execute("DELETE FROM Cache WHERE raw = 0")
        finally:
            connection.close()

    @contextmanager
    def _full_disk_is_said(self) -> Iterator[None]:
        """Turn each way in which a disk says that it is full into StoreFull."""
        try:
            yield
        except (OSError, sqlite3.OperationalError, diskcache.Timeout) as error:
            if not says_full(error):
                raise
            raise StoreFull(
                f"The disk of {self.directory} took no more data ({error or 'it is locked'}); "
                "free some space there or delete stored runs, then run it again."
            ) from error


def _again(digest: str, why: str) -> str:
    return f"The stored result of run {digest} was dropped ({why.rstrip('.')}); run it again."
