"""The disk under the store: diskcache's, for bytes alone.

A row that claims to be a pickle is refused wherever diskcache would load it
(CVE-2025-69872: plain diskcache loads whatever the row says).
"""

import re
import threading
from pathlib import Path
from typing import Any

import diskcache
from diskcache.core import MODE_PICKLE, UNKNOWN

from lazycore.errors import CorruptResult

_VALUE_FILE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}\.val")


class BytesDisk(diskcache.Disk):
    """diskcache's disk for bytes alone: no pickle in or out, no path outside the directory."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.written = threading.local()

    def put(self, key):
        if type(key) is not str:
            raise TypeError(f"a key is text, not {type(key).__name__}")
        return super().put(key)

    def get(self, key, raw):
        if not raw:
            raise CorruptResult("A row of the store has a pickled key; it was not loaded.")
        return super().get(key, raw)

    def store(self, value, read, key=UNKNOWN):
        if type(value) is not bytes or read:
            raise TypeError(f"a value is bytes, not {type(value).__name__}")
        size, mode, name, stored = super().store(value, read, key)
        self.written.name = name
        return size, mode, name, stored

    def fetch(self, mode, filename, value, read):
        if mode == MODE_PICKLE:
            raise CorruptResult("A row of the store is a pickle; it was not loaded.")
        if filename is not None and not _VALUE_FILE.fullmatch(filename):
            raise CorruptResult("A row of the store names a file that is not the store's own.")
        return super().fetch(mode, filename, value, read)

    def remove(self, file_path):
        # A tampered row must not choose which file dropping it deletes.
        if _VALUE_FILE.fullmatch(file_path):
            super().remove(file_path)

    def _write(self, full_path, iterator, mode, encoding=None):
        try:
            return super()._write(full_path, iterator, mode, encoding)
        except OSError:
            Path(full_path).unlink(missing_ok=True)
            raise
