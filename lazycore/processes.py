"""Processes of our own that we start: they find this package wherever they are started from."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
"""The folder that holds `lazycore`."""


def environment() -> dict[str, str]:
    """Return this process's environment, with this very package first on the path of modules."""
    paths = [str(PROJECT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
