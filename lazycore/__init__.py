"""Lazy Lab's library: a network, its linearisation, and the distance between the two.

    import lazycore
    result = lazycore.run(lazycore.RunConfig(alpha=100))
    result                          # its verdict and numbers; in a notebook, with a picture
    result.plot("kernel")           # one of result.figures(), as plotly has it

Configs: `RunConfig`, `SweepConfig`. What computes: `run`, `train`, `sweep`; of a torch module of
one's own `compare`, `compare_over`, `fine_tune`, and its tangent model `linearize` and
`tangent_kernel`. What comes out: `RunResult`, `SweepResult`, `Comparisons`, `Snapshot`,
`TangentModel`. What goes wrong: `LazyLabError` and its kinds.

Importing this package imports neither numpy nor torch; what computes does.
"""

import importlib
from typing import TYPE_CHECKING, Any

from lazycore.results import drawn

__version__ = "0.1.0"

if TYPE_CHECKING:
    from lazycore.config.run import RunConfig
    from lazycore.config.sweep import SweepConfig
    from lazycore.errors import (
        BudgetError,
        ConfigError,
        CorruptResult,
        DataError,
        ExtraMissing,
        JobError,
        LazyLabError,
        ResultNotFound,
        StoreFull,
    )
    from lazycore.results.run import RunResult, Snapshot
    from lazycore.results.sweep import SweepResult
    from lazycore.running.compare import compare, fine_tune
    from lazycore.running.compare.over import Comparisons, compare_over
    from lazycore.running.compare.tangent import TangentModel, linearize, tangent_kernel
    from lazycore.running.run import run, train
    from lazycore.running.sweeps import sweep

__all__ = [
    "BudgetError",
    "Comparisons",
    "ConfigError",
    "CorruptResult",
    "DataError",
    "ExtraMissing",
    "JobError",
    "LazyLabError",
    "ResultNotFound",
    "RunConfig",
    "RunResult",
    "Snapshot",
    "StoreFull",
    "SweepConfig",
    "SweepResult",
    "TangentModel",
    "compare",
    "compare_over",
    "fine_tune",
    "linearize",
    "run",
    "sweep",
    "tangent_kernel",
    "train",
]

_PLACES = {
    "BudgetError": "errors",
    "Comparisons": "running.compare.over",
    "ConfigError": "errors",
    "CorruptResult": "errors",
    "DataError": "errors",
    "ExtraMissing": "errors",
    "JobError": "errors",
    "LazyLabError": "errors",
    "ResultNotFound": "errors",
    "RunConfig": "config.run",
    "RunResult": "results.run",
    "Snapshot": "results.run",
    "StoreFull": "errors",
    "SweepConfig": "config.sweep",
    "SweepResult": "results.sweep",
    "TangentModel": "running.compare.tangent",
    "compare": "running.compare",
    "compare_over": "running.compare.over",
    "fine_tune": "running.compare",
    "linearize": "running.compare.tangent",
    "run": "running.run",
    "sweep": "running.sweeps",
    "tangent_kernel": "running.compare.tangent",
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
