"""Lazy Lab's library: a network, its linearisation, and the distance between the two.

    import lazycore
    result = lazycore.run(lazycore.RunConfig(alpha=100))
    print(result.verdict, result.history)

Importing this package does not import torch; calling `run`, `train`, `sweep` or `compare` does.
"""

import importlib
from typing import TYPE_CHECKING, Any

from lazycore.config import RunConfig
from lazycore.results import RunResult, Snapshot
from lazycore.sweepconfig import SweepConfig
from lazycore.sweepresult import SweepResult

if TYPE_CHECKING:
    from lazycore.comparison import compare
    from lazycore.sweeps import sweep
    from lazycore.training import run, train

__all__ = [
    "RunConfig",
    "RunResult",
    "Snapshot",
    "SweepConfig",
    "SweepResult",
    "compare",
    "run",
    "sweep",
    "train",
]

_LAZY = {"run": "training", "train": "training", "sweep": "sweeps", "compare": "comparison"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"lazycore.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'lazycore' has no attribute {name!r}")
