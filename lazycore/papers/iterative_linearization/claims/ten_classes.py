"""Ten classes over the number of feature updates, against the lazy model and gradient descent."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lazycore.config.refreshing import updates
from lazycore.config.run import RunConfig
from lazycore.papers.claim import Check, Row
from lazycore.papers.iterative_linearization.claims._oracle import SOURCE
from lazycore.results.run import RunResult

LAZY = "lazy"
STUDENT = 4.303
"""The 97.5 % point of Student's t with two degrees of freedom: three seeds."""
_TEN = {
    **{"labels": "ten", "n_train": 100, "n_test": 500, "dynamics": "gd"},
    **{"refresh_cap": "stable"},
}
TEN_CLASSES: dict[str, dict[str, Any]] = {
    "digits, two hidden layers": {
        **{"task": "digits", "model": "fully_connected", "depth": 2, "width": 64},
        **{"activation": "tanh", "alpha": 0.1, "steps": 3000},
    },
    "fashion, small convolutional network": {
        **{"task": "fashion_mnist", "model": "cnn", "width_multiplier": 0.1, "n_test": 200},
        **{"alpha": 0.3, "steps": 320, "step_size": 0.01},
    },
}
"""Ten classes by the square loss, with 1, 2, 8 and 40 feature updates."""


def _ten_classes(results: Mapping[str, RunResult]) -> list[Row]:
    """Return the accuracy over the number of updates, and what it gains over the lazy model.

    The gain is paired: the seed that both share gives the data and the initial weights.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for label, result in results.items():
        problem, every, _ = label.split(" | ")
        steps = TEN_CLASSES[problem]["steps"]
        rows = {"refreshed": f"{updates(steps, int(every))} updates, steps capped"}
        if int(every) == steps:
            rows = {"linearized": LAZY, "nonlinear": "gradient descent"}
        for model, name in rows.items():
            last = result.series[f"{model}.test_error"][-1]
            found.setdefault((problem, name), []).append(1.0 - float(last))
    rows = []
    for (problem, name), values in found.items():
        said = _interval(np.array(values))
        if name != LAZY:
            gain = np.subtract(values, found[problem, LAZY])
            said = f"{said}; gain over lazy {_interval(gain, signed=True)}"
        rows.append(Row(f"{problem}: {name}", said, "shown", None))
    return rows


def _interval(values: np.ndarray, signed: bool = False) -> str:
    """Return the mean with half its 95 % interval, and how many seeds diverged."""
    kept = values[np.isfinite(values)]
    if not len(kept):
        return f"none of {len(values)} left"
    mean = f"{kept.mean():{'+' if signed else ''}.3f}"
    if len(kept) < len(values):
        lost = f"{len(values) - len(kept)} of {len(values)} diverged"
        return f"{mean}, interval not known ({lost})"
    return f"{mean} ± {STUDENT * kept.std(ddof=1) / len(kept) ** 0.5:.3f}"


def _of_ten_classes() -> dict[str, RunConfig]:
    """Return the runs of both problems, by problem, K and seed."""
    return {
        f"{name} | {(every := fields['steps'] // count)} | {seed}": RunConfig.from_dict(
            _TEN | fields | {"refresh_every": every, "seed": seed}
        )
        for name, fields in TEN_CLASSES.items()
        for count in (1, 2, 8, 40)
        for seed in range(3)
    }


CHECKS = (
    Check(
        name="iterative-linearization-ten-classes",
        source=SOURCE,
        runs=_of_ten_classes(),
        judge=_ten_classes,
        slow=True,
    ),
)
