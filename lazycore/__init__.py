"""Lazy Lab's library: a network, its linearisation, and the distance between the two.

    import lazycore
    result = lazycore.run(lazycore.RunConfig(alpha=100))
    print(result.verdict, result.history)

Importing this package imports neither numpy nor torch; calling `run`, `train`, `sweep` or
`compare` does.
"""

import importlib
from typing import TYPE_CHECKING, Any

from lazycore.results import drawn

if TYPE_CHECKING:
    from lazycore.config.run import RunConfig
    from lazycore.config.sweep import SweepConfig
    from lazycore.results.run import RunResult, Snapshot
    from lazycore.results.sweep import SweepResult
    from lazycore.running.compare import compare, fine_tune
    from lazycore.running.compare.over import Comparisons, compare_over
    from lazycore.running.run import run, train
    from lazycore.running.sweeps import sweep

__all__ = [
    "Comparisons",
    "RunConfig",
    "RunResult",
    "Snapshot",
    "SweepConfig",
    "SweepResult",
    "compare",
    "compare_over",
    "fine_tune",
    "run",
    "sweep",
    "train",
]

_PLACES = {
    "RunConfig": "config.run",
    "RunResult": "results.run",
    "Snapshot": "results.run",
    "SweepConfig": "config.sweep",
    "SweepResult": "results.sweep",
    "Comparisons": "running.compare.over",
    "compare": "running.compare",
    "compare_over": "running.compare.over",
    "fine_tune": "running.compare",
    "run": "running.run",
    "sweep": "running.sweeps",
    "train": "running.run",
}


def _artist() -> "drawn.Artist":
    """Return what draws results; it stands above this package's face, and is looked up by name."""
    return importlib.import_module("lazycore.figures.objects")  # type: ignore[return-value]


drawn.tell(_artist)


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(importlib.import_module(f"lazycore.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'lazycore' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
