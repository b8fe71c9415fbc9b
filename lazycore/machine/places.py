"""Where the program writes, and where what it ships lies.

A checkout of the repository holds everything itself. An installed copy has the dashboard in a
folder beside the library, and writes to the user's cache directory.
"""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
"""The folder that holds `lazycore`: the repository, or the environment's site-packages."""
IS_CHECKOUT = all((PROJECT / name).is_file() for name in ("pyproject.toml", "app.py"))
"""Whether this is the repository, not an installed copy."""
DASHBOARD = PROJECT if IS_CHECKOUT else PROJECT / "lazylab_app"
"""The folder that holds `app.py`, `pages/` and the shipped part of `cache/`."""


def default_root() -> Path:
    """Return the directory the program writes to: $LAZYLAB_CACHE; else cache/ of a checkout,
    or lazylab/runs of the user's cache directory (~/.cache on Linux)."""
    if named := os.environ.get("LAZYLAB_CACHE"):
        return Path(named)
    if IS_CHECKOUT:
        return PROJECT / "cache"
    import platformdirs

    return platformdirs.user_cache_path("lazylab", appauthor=False) / "runs"
