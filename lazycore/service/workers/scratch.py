"""A folder for what a worker and its children put aside, gone with them however they end.

A fork server is reached through a socket in a folder, which a process that is killed leaves
behind. So each worker has one folder for all of that. Its path stands in the lock of its name:
the next worker of that name takes away what the last one left, and so does a child that sees its
worker die.
"""

import os
import shutil
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path
from typing import IO

PREFIX = "lazylab-"
VARIABLE = "LAZYLAB_SCRATCH"


def take(lock: IO[str]) -> Path:
    """Return a new folder, in which this process and those that it starts put temporary files;
    the one that the last holder of `lock` had is gone."""
    lock.seek(0)
    _remove(lock.read().strip())
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock.seek(0)
    lock.truncate()
    lock.write(str(folder))
    lock.flush()
    # After multiprocessing has taken away its own folder within.
    Finalize(None, leave, exitpriority=-200)
    os.environ["TMPDIR"] = os.environ[VARIABLE] = tempfile.tempdir = str(folder)
    return folder


def leave() -> None:
    """Take away the folder of the worker that this process is, or is a child of; whoever goes
    last in a hurry need not look whether it is still there."""
    _remove(os.environ.get(VARIABLE, ""))


def _remove(path: str) -> None:
    # What stands in a file or in the environment must not choose what is deleted.
    folder = Path(path)
    if folder.is_absolute() and folder.name.startswith(PREFIX) and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
