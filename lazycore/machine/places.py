"""Where the program writes, and where what it ships lies."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
"""The folder that holds `lazycore`."""


def default_root() -> Path:
    """Return the directory the program writes to: $LAZYLAB_CACHE, or cache/ of the project."""
    named = os.environ.get("LAZYLAB_CACHE")
    return Path(named) if named else PROJECT / "cache"
