"""The runs that ship, so that the Theorems page opens with finished figures.

    python -m lazycore.papers.lazy_training.theorems._shipped        computes them again into
    cache/atlas

Of each statement: its first problem at every α of its rates, twins and sweep included; of the
other problems their own run.
"""

from dataclasses import replace
from pathlib import Path

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.papers import atlas
from lazycore.papers.theorem import Theorem, theorems
from lazycore.results.run import RunResult

PRECISE = (".outputs", ".train_loss")
"""Ends of the names of quantities that ship in full."""


def configs(theorem: Theorem) -> list[RunConfig]:
    """Return the runs that ship with this statement, without twins, which follow from results."""
    first = next(iter(theorem.examples.values()))
    others = [replace(first, alpha=alpha) for alpha in theorem.alphas]
    return list({c.digest: c for c in (*theorem.examples.values(), *others)}.values())


def sweeps() -> list[SweepConfig]:
    """Return the sweeps that ship."""
    return [theorem.sweep for theorem in theorems().values() if theorem.sweep]


def slim(result: RunResult) -> RunResult:
    """Return the run in single precision, but for what rates are read off by small differences."""
    exact = {k: v for k, v in result.series.items() if k.endswith(PRECISE)}
    narrow = atlas.slim(result)
    return replace(narrow, series={**narrow.series, **exact})


def build(directory: Path = atlas.DIRECTORY) -> int:
    """Compute what ships into `directory` and return the bytes it takes: a minute or two."""
    import torch

    import lazycore

    torch.set_num_threads(1)
    folder = directory / atlas.THEOREMS
    (folder / "sweeps").mkdir(parents=True, exist_ok=True)
    for old in folder.rglob("*.npz"):
        old.unlink()
    for theorem in theorems().values():
        for config in configs(theorem):
            result = lazycore.run(config)
            slim(result).save(folder / f"{config.digest}.npz")
            for twin in theorem.companions(result).values():
                slim(lazycore.run(twin)).save(folder / f"{twin.digest}.npz")
    for sweep in sweeps():
        atlas.slim_table(lazycore.sweep(sweep)).save(folder / "sweeps" / f"{sweep.digest}.npz")
    return sum(path.stat().st_size for path in folder.rglob("*.npz"))


if __name__ == "__main__":
    build()
