"""The quick sizes that ship, so that the Figures page opens with finished figures.

python -m lazycore.papers.lazy_training.figures._shipped [FIGURE ...]     computes them again
(minutes)
"""

import argparse
from pathlib import Path

from lazycore.config.sweep import SweepConfig
from lazycore.papers import atlas
from lazycore.papers.reproduction import QUICK, Job, collect, find


def jobs(names: list[str] | None = None) -> list[Job]:
    """Return what ships of these figures (all): the quick size of their first setting."""
    ones = [find(name) for name in names] if names else list(collect().values())
    return [job for one in ones for s in one.settings[:1] for job in s.sizes[QUICK].jobs]


def path(job: Job, directory: Path = atlas.DIRECTORY) -> Path:
    """Return the file of this job."""
    folder = directory / atlas.FIGURES
    if isinstance(job, SweepConfig):
        folder = folder / "sweeps"
    return folder / f"{job.digest}.npz"


def build(names: list[str] | None = None, directory: Path = atlas.DIRECTORY) -> int:
    """Compute what these figures ship into `directory` and return the bytes they take.

    Runs that the store has are taken from there, so that what was stopped goes on.
    """
    import torch

    import lazycore
    from lazycore.results.store import open_store

    torch.set_num_threads(1)
    store, size = open_store(), 0
    for job in jobs(names):
        file = path(job, directory)
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(job, SweepConfig):
            atlas.slim_table(lazycore.sweep(job, store=store)).save(file)
        else:
            atlas.slim(store.find(job.digest) or lazycore.run(job)).save(file)
        size += file.stat().st_size
    store.close()
    return size


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="FIGURE")
    build(parser.parse_args().names)
