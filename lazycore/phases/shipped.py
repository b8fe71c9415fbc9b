"""The sweeps that ship, so that the Feature-or-lazy page opens with finished figures.

python -m lazycore.phases.shipped [DEPTH ...]     computes them again (minutes)
"""

import argparse
from pathlib import Path

import numpy as np

from lazycore import atlas
from lazycore.phases import settings
from lazycore.sweepconfig import SweepConfig
from lazycore.sweepresult import SweepResult


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
        size += slim(table).save(file).stat().st_size
    return size


def slim(table: SweepResult) -> SweepResult:
    """Return the table with seven digits of each number that single precision can hold."""
    within = np.abs(table.values) < np.finfo(np.float32).max
    narrow = np.where(within, table.values, 0.0).astype(np.float32)
    table.values[:] = np.where(within, narrow, table.values)
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("depths", nargs="*", type=int, metavar="DEPTH")
    build(parser.parse_args().depths)
