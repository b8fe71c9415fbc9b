"""Processes of our own: they find this package wherever they are started from, and have one
thread for each library.

No numpy and no torch: what is said here must be said before they are imported.
"""

import ctypes
import os
import site
from pathlib import Path

from lazycore.machine.places import PROJECT

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""What glibc's malloc.h calls M_TRIM_THRESHOLD and M_MMAP_THRESHOLD."""

POOLS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""What the libraries take the size of their pools from."""


def environment(threads: int = 1) -> dict[str, str]:
    """Return this process's environment for one that computes: it finds this very package, takes
    no module from the folder in which it is started, and has as many threads for each library.

    A package that is installed is found anyway. Its folder named first would put everything that
    is installed before Python's own modules.
    """
    paths = [*([] if _is_installed() else [str(PROJECT)]), os.environ.get("PYTHONPATH", "")]
    found = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONSAFEPATH": "1"}
    return found | dict.fromkeys(POOLS, str(threads))


def _is_installed() -> bool:
    """Return whether every process of this Python looks for packages where this one lies."""
    users = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return PROJECT in {Path(folder).resolve() for folder in (*site.getsitepackages(), *users)}


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
