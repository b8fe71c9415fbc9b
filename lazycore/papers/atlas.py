"""The runs that ship: one network on real digits, from rich to lazy, the default run, a sweep.

They are on the screen before any click: the digits on Home, the default on Explore, and on
Sweep a plane of α and width. The presets of Explore ship too, a stripe with its kernels.

    python -m lazycore.papers.atlas        computes them again into cache/atlas (minutes)

`tests/test_atlas.py` recomputes them too.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.errors import LazyLabError
from lazycore.machine.places import DASHBOARD
from lazycore.papers import presets
from lazycore.papers.presets import STRIPE
from lazycore.results.run import RunResult
from lazycore.results.sweep import SweepResult

DIRECTORY = DASHBOARD / "cache" / "atlas"
FIGURES = "figures"
"""The folder of what the figures of the paper need;
`lazycore.papers.lazy_training.figures._shipped` fills it."""
THEOREMS = "theorems"
"""The folder of what the theorems are shown on; `lazycore.papers.lazy_training.theorems._shipped`
fills it."""
KERNELS = "kernels"
"""The folder of the run that holds its kernels."""
REFRESH = "refresh"
"""The folder of what the Refresh page shows; `lazycore.papers.iterative_linearization.problems`
fills it."""
PHASES = "phases"
"""The folder of the sweeps of Feature or lazy; `lazycore.papers.feature_lazy.phases.shipped` fills
it."""
STORIES = "presets"
"""The folder of the other presets of Explore."""
FOLDERS = (STORIES, FIGURES, THEOREMS, KERNELS, REFRESH, PHASES)
Found = TypeVar("Found", RunResult, SweepResult)
DIGEST = re.compile(r"[0-9a-f]{16}")
ALPHAS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
REGIMES = (0.1, 1.0, 100.0)
"""The α that Home shows side by side: rich, crossover, lazy."""

_RUN = {
    "task": "digits",
    "activation": "tanh",
    "width": 50,
    "n_train": 100,
    "n_test": 200,
    "time": 1000.0,
}
SWEEP = {
    "task": "sine",
    "activation": "tanh",
    "alpha": "0.01:100:9",
    "width": "16,32,64,128",
    "seed": "0:3",
}
"""The sweep that ships, as on the command line: rich at small α, lazy at large ones."""


def configs() -> list[RunConfig]:
    """Return the configs of the shipped runs, by increasing α."""
    return [RunConfig(alpha=alpha, **_RUN) for alpha in ALPHAS]


@cache
def runs() -> tuple[RunResult, ...]:
    """Return the shipped runs by increasing α; a file that is missing or broken is left out."""
    found = (_load(config) for config in configs())
    return tuple(result for result in found if result is not None)


@cache
def default_run() -> RunResult | None:
    """Return the run that Explore opens with, None when its file is missing or broken."""
    return _load(RunConfig())


def find(digest: str) -> RunResult | None:
    """Return the shipped run of this digest, None when it is not one of them."""
    shipped = filter(None, (default_run(), *runs()))
    found = next((result for result in shipped if result.digest == digest), None)
    return found or _of_a_page(digest, RunResult.load)


def find_sweep(digest: str) -> SweepResult | None:
    """Return the shipped sweep of this digest, None when it is not one of them."""
    shipped = sweep()
    if shipped is not None and shipped.digest == digest:
        return shipped
    return _of_a_page(digest, SweepResult.load, "sweeps")


@lru_cache(maxsize=128)
def _of_a_page(digest: str, load: Callable[[Path], Found], within: str = "") -> Found | None:
    """Return what ships in one of the folders under this digest."""
    if not DIGEST.fullmatch(digest):
        return None
    for folder in FOLDERS:
        try:
            return load(DIRECTORY / folder / within / f"{digest}.npz")
        except LazyLabError:
            continue
    return None


@cache
def sweep() -> SweepResult | None:
    """Return the sweep that the Sweep page opens with, None when its file is missing or broken."""
    try:
        return SweepResult.load(_sweep_path(DIRECTORY))
    except LazyLabError:
        return None


def nearest(alpha: float) -> RunResult | None:
    """Return the shipped run whose α is nearest by ratio."""
    return min(runs(), key=lambda r: abs(np.log(_alpha(r) / alpha)), default=None)


def slim(result: RunResult) -> RunResult:
    """Return the run in single precision, as it ships: half the bytes, seven digits."""

    def narrow(values):
        return values.astype(np.float32) if isinstance(values, np.ndarray) else values

    groups = {
        name: {key: narrow(value) for key, value in getattr(result, name).items()}
        for name in ("series", "sparse", "latest")
    }
    return replace(result, **groups)


def slim_table(table: SweepResult) -> SweepResult:
    """Return the table with seven digits of each number that single precision can hold."""
    within = np.abs(table.values) < np.finfo(np.float32).max
    narrow = np.where(within, table.values, 0.0).astype(np.float32)
    table.values[:] = np.where(within, narrow, table.values)
    return table


def build(directory: Path = DIRECTORY) -> int:
    """Compute every shipped run into `directory` and return the bytes they take in all."""
    import lazycore

    directory.mkdir(parents=True, exist_ok=True)
    for old in (*directory.glob("*.npz"), *(directory / "sweeps").glob("*.npz")):
        old.unlink()
    paths = [
        slim(lazycore.run(c)).save(directory / f"{c.digest}.npz") for c in (*configs(), RunConfig())
    ]
    paths += [_build_sweep(directory), _build_stripe(directory), *_build_stories(directory)]
    return sum(path.stat().st_size for path in paths)


def _build_sweep(directory: Path) -> Path:
    import lazycore

    result = slim_table(lazycore.sweep(SweepConfig.from_text(SWEEP)))
    path = _sweep_path(directory)
    path.parent.mkdir(parents=True, exist_ok=True)
    return result.save(path)


def story_configs() -> list[RunConfig]:
    """Return the presets of Explore that ship nowhere else."""
    elsewhere = {c.digest for c in (*configs(), RunConfig(), RunConfig.from_dict(STRIPE))}
    return [config for config in presets.configs() if config.digest not in elsewhere]


def _build_stories(directory: Path) -> list[Path]:
    import lazycore

    folder = directory / STORIES
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.npz"):
        old.unlink()
    return [slim(lazycore.run(c)).save(folder / f"{c.digest}.npz") for c in story_configs()]


def _build_stripe(directory: Path) -> Path:
    import lazycore

    config = RunConfig.from_dict(STRIPE)
    path = directory / KERNELS / f"{config.digest}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    return slim(lazycore.run(config)).save(path)


def _sweep_path(directory: Path) -> Path:
    return directory / "sweeps" / f"{SweepConfig.from_text(SWEEP).digest}.npz"


def _load(config: RunConfig) -> RunResult | None:
    try:
        return RunResult.load(DIRECTORY / f"{config.digest}.npz")
    except LazyLabError:
        return None


def _alpha(result: RunResult) -> float:
    return float((result.config or {})["alpha"])


if __name__ == "__main__":
    build()
