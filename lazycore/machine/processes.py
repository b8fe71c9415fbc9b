"""Processes of our own: they find this package wherever they are started from, and have one
thread for each library.

No numpy and no torch: what is said here must be said before they are imported.
"""

import ctypes
import os

from lazycore.machine.places import PROJECT

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""What glibc's malloc.h calls M_TRIM_THRESHOLD and M_MMAP_THRESHOLD."""

POOLS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""What the libraries take the size of their pools from."""


def environment(threads: int = 1) -> dict[str, str]:
    """Return this process's environment for one that computes: with this very package first on
    the path of modules, and as many threads for each library."""
    paths = [str(PROJECT), os.environ.get("PYTHONPATH", "")]
    found = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return found | dict.fromkeys(POOLS, str(threads))


def become_program() -> None:
    """Make this process one that computes, before it imports numpy: a thread for numpy's
    products, for those of both libraries would fight for the cores, and memory that is kept."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Have arrays of up to 32 MB come from memory that this process has had before.

    The usual malloc hands it back and asks for it anew at every step: 900 page faults in a step
    of ten networks of 50 units, which then took 5.2 ms for 2.9 (docs/log/speed.md, 2026-11-27). Up
    to 128 MB that nothing uses any more stay with the process.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, 2**27)
        mallopt(_MMAP_THRESHOLD, 2**25)
