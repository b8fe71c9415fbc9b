"""Where data files are looked for: one order, the same for every set."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lazycore.datasets.registry import File, ImageSet

VARIABLE = "LAZYLAB_DATA"


def user_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the user's data folder: $LAZYLAB_DATA, or lazylab/data of the user's cache."""
    if named := environment.get(VARIABLE):
        return Path(named).expanduser()
    cache = environment.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "lazylab" / "data"


def roots(data_dir: str | Path | None = None) -> list[Path]:
    """Return the folders to look in: `data_dir` if given, then the user's data folder, then
    that of the user's cache."""
    named = [Path(data_dir)] if data_dir else []
    return list(dict.fromkeys([*named, user_folder(), user_folder({**os.environ, VARIABLE: ""})]))


def places(
    found: ImageSet, names: Sequence[str], data_dir: str | Path | None = None
) -> Iterator[Path]:
    """Yield the paths under which a file of this set, of any of these names, may lie.

    In the order of search; in each folder as torchvision keeps it, in a folder of the set's
    name, and flat.
    """
    within = (found.folder, found.name, found.name.replace("_", "-"), ".")
    everywhere = [root / folder for root in roots(data_dir) for folder in within]
    for folder in (*everywhere, *(Path(also) for also in found.also)):
        yield from (folder / name for name in names)


def locate(found: ImageSet, file: File, data_dir: str | Path | None = None) -> Path | None:
    """Return where a file of this set lies, unpacked or gzipped; None if nowhere."""
    names = (file.name, f"{file.name}.gz") if file.packed else (file.name,)
    return next((path for path in places(found, names, data_dir) if path.is_file()), None)
