"""The sweeps that ship, so that the Feature-or-lazy page opens with finished figures.

python -m lazycore.phases.shipped [DEPTH ...]     computes them again (minutes)
"""

import argparse
from pathlib import Path

from lazycore import atlas
from lazycore.phases import settings
from lazycore.sweepconfig import SweepConfig


def path(config: SweepConfig, directory: Path = atlas.DIRECTORY) -> Path:
    """Return the file of this sweep."""
    return directory / atlas.PHASES / "sweeps" / f"{config.digest}.npz"


def build(depths: list[int] | None = None, directory: Path = atlas.DIRECTORY) -> int:
    """Compute the sweeps of these depths (all) into `directory`; return the bytes they take."""
    import lazycore

    size = 0
    for config in settings.shipped():
        if depths and config.base.resolve().depth not in depths:
            continue
        file = path(config, directory)
        file.parent.mkdir(parents=True, exist_ok=True)
        table = lazycore.sweep(config)
        size += atlas.slim_table(table).save(file).stat().st_size
    return size


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("depths", nargs="*", type=int, metavar="DEPTH")
    build(parser.parse_args().depths)
