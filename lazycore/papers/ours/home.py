"""What the program opens with: one network on real digits, from rich to lazy, and a sweep.

They are on the screen before any click: the digits on Home, the default run on Explore, and on
Sweep a plane of α and width.
"""

from functools import cache

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.papers.shelf import find, find_sweep
from lazycore.results.run import RunResult
from lazycore.results.sweep import SweepResult

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


@cache
def configs() -> tuple[RunConfig, ...]:
    """Return the configs of the digits, by increasing α."""
    return tuple(RunConfig(alpha=alpha, **_RUN) for alpha in ALPHAS)


def jobs() -> list[RunConfig | SweepConfig]:
    """Return everything here that ships: the digits, the default run, the sweep."""
    return [*configs(), RunConfig(), SweepConfig.from_text(SWEEP)]


def runs() -> tuple[RunResult, ...]:
    """Return the digits by increasing α; a file that is missing or broken is left out."""
    found = (find(config.digest) for config in configs())
    return tuple(result for result in found if result is not None)


def default_run() -> RunResult | None:
    """Return the run that Explore opens with, None when its file is missing or broken."""
    return find(RunConfig().digest)


def sweep() -> SweepResult | None:
    """Return the sweep that the Sweep page opens with, None when its file is missing or broken."""
    return find_sweep(SweepConfig.from_text(SWEEP).digest)


def nearest(alpha: float) -> RunResult | None:
    """Return the run of the digits whose α is nearest by ratio."""
    return min(runs(), key=lambda r: abs(np.log(_alpha(r) / alpha)), default=None)


def _alpha(result: RunResult) -> float:
    return float((result.config or {})["alpha"])
