"""Who goes first where the store is full: what was used longest ago, and nothing that is in use.

What is being shown or computed is *kept* until a time, which stands where its last use does: a
use that is still to come. What has been noted of a job, and what it had so far, stays for an hour
after it was last written.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from lazycore.errors import ConfigError

SHOWN_SECONDS = 3600.0
"""For how long what a page shows is kept: that long it can be looked at without a word."""
COMPUTED_SECONDS = 120.0
"""For how long the cells of a sweep are kept on its way; it says so again while it lasts."""
NOTED_SECONDS = 3600.0
AGAIN_SECONDS = 30.0
"""How often a process says of the same thing that it is kept."""
USUAL_MB = 2048
"""Size of a store where nothing is said of it."""
KINDS = ("", "sweep:", "partial:", "partial-sweep:", "note:")
"""What there may be of one digest, by what its key begins with."""

_BY_LAST_USE = "CREATE INDEX IF NOT EXISTS Cache_access_time ON Cache (access_time)"
_OLDEST = """
    SELECT key FROM Cache
    WHERE raw = 1 AND key != :just_put AND access_time <= :now
    AND (access_time <= :now - :noted OR (key NOT LIKE 'partial%' AND key NOT LIKE 'note:%'))
    ORDER BY access_time LIMIT 1
"""
_KEEP = "UPDATE Cache SET access_time = MAX(access_time, ?) WHERE key = ? AND raw = 1"


def size_limit(environment: Mapping[str, str] = os.environ) -> int:
    """Return how many bytes the store may hold: $LAZYLAB_STORE_MB, 2048 MB by default."""
    said = environment.get("LAZYLAB_STORE_MB", USUAL_MB)
    try:
        megabytes = float(said)
    except ValueError:
        megabytes = 0.0
    if not 0 < megabytes < 1e9:
        raise ConfigError(f"LAZYLAB_STORE_MB={said} is not allowed: give a number above 0.")
    return int(megabytes * 2**20)


class Room:
    """The room in the cache under `directory`, for `limit` bytes."""

    def __init__(self, cache: Any, directory: Path, limit: int) -> None:
        self.cache = cache
        self.index = directory / "cache.db"
        self.limit = limit
        self._said: dict[str, float] = {}
        with closing(self._connect()) as connection, connection:
            connection.execute(_BY_LAST_USE)

    def make(self, just_put: str) -> bool:
        """Drop what was used longest ago until the rest fits; return False where all else is
        in use."""
        while self.cache.volume() > self.limit:
            oldest = self._oldest(just_put)
            if oldest is None:
                return False
            self.cache.delete(oldest)
        return True

    def use(self, key: str) -> None:
        """Take note that `key` is used now."""
        with closing(self._connect()) as connection, connection:
            connection.execute(_KEEP, (time.time(), key))

    def keep(self, digests: Iterable[str], seconds: float) -> None:
        """Drop nothing of these digests for so many seconds. Asked often, it is cheap."""
        now = time.time()
        self._said = {d: at for d, at in self._said.items() if now - at < AGAIN_SECONDS}
        again = [digest for digest in digests if digest not in self._said]
        if again:
            keys = [(now + seconds, kind + digest) for digest in again for kind in KINDS]
            with closing(self._connect()) as connection, connection:
                connection.executemany(_KEEP, keys)
            # A new one: another thread may be walking through the old.
            self._said = self._said | dict.fromkeys(again, now)

    def _oldest(self, just_put: str) -> str | None:
        told = {"just_put": just_put, "now": time.time(), "noted": NOTED_SECONDS}
        with closing(self._connect()) as connection:
            found = connection.execute(_OLDEST, told).fetchone()
        return None if found is None else found[0]

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.index, timeout=10)
