"""How a disk says that it is full."""

import errno

import diskcache

_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS)
_FULL_SQLITE = ("disk is full", "disk I/O error", "readonly database")


def says_full(error: Exception) -> bool:
    """Whether `error` is a disk that takes no more. diskcache hides one as a Timeout."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return isinstance(error, diskcache.Timeout) or any(s in str(error) for s in _FULL_SQLITE)
