"""The sweeps that ship, so that the Feature-or-lazy page opens with finished figures.

python -m lazycore.papers.feature_lazy.phases.shipped                computes them again (minutes)
python -m lazycore.papers.feature_lazy.phases.shipped --missing      only those that are not there
"""

import argparse
from pathlib import Path

from lazycore.config.sweep import SweepConfig
from lazycore.papers import atlas
from lazycore.papers.feature_lazy.phases import settings


def path(config: SweepConfig, directory: Path = atlas.DIRECTORY) -> Path:
    """Return the file of this sweep."""
    return directory / atlas.PHASES / "sweeps" / f"{config.digest}.npz"


def build(missing: bool = False, directory: Path = atlas.DIRECTORY) -> int:
    """Compute the sweeps, or those that are missing, into `directory`; return their bytes."""
    import lazycore

    size = 0
    for config in settings.shipped():
        file = path(config, directory)
        if missing and file.exists():
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        table = lazycore.sweep(config, budget=None)
        size += atlas.slim_table(table).save(file).stat().st_size
    return size


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missing", action="store_true", help="only those that are not there")
    build(parser.parse_args().missing)
