"""The numbers that a comparison's dynamics reads, checked, with their defaults."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lazycore.config.fields import (
    BATCH_SEED,
    BATCH_SIZE,
    MOMENTUM,
    STEP_SIZE,
    STEPS,
    TIME,
    TOLERANCE,
)
from lazycore.config.spec import Field, Values, shown
from lazycore.errors import ConfigError

WEIGHT_DECAY = Field(
    name="weight_decay",
    default=0.0,
    low=0.0,
    high=1e9,
    meaning="λ of (λ/2)‖w‖², added to F_α, for both models",
)
SIZE = replace(BATCH_SIZE, default=None)
SEED = replace(BATCH_SEED, default=0)
READ = {
    "gd": (STEPS, STEP_SIZE, MOMENTUM, WEIGHT_DECAY),
    "sgd": (STEPS, STEP_SIZE, MOMENTUM, WEIGHT_DECAY, SIZE, SEED),
    "adam": (STEPS, STEP_SIZE, WEIGHT_DECAY, SIZE, SEED),
    "flow": (TIME, TOLERANCE),
}
"""What each dynamics of a comparison reads."""

ADAM_STEP = 1e-3
"""Adam's step size where none is given, as in torch."""


def options(dynamics: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a dynamics' fields, null where they are to be chosen.

    Raises `ConfigError` for a dynamics that is none, a value that cannot be, and one that this
    dynamics does not read.
    """
    if dynamics not in READ:
        raise ConfigError(f"dynamics={dynamics!r} is not allowed: give gd, sgd, adam or flow.")
    read = {field.name: field for field in READ[dynamics]}
    for name, value in given.items():
        if value is not None and name not in read:
            raise ConfigError(
                f"{name}={shown(value)} is not read by dynamics={dynamics}, which reads "
                f"{', '.join(read)}."
            )
    values: dict[str, Any] = {"dynamics": dynamics, "momentum": MOMENTUM.default}
    for name, field in read.items():
        value = given.get(name)
        values[name] = field.default if value is None else field.check(value)
    return values


def is_iterated(values: Values) -> bool:
    """Whether both models take their steps one by one (`dynamics/_optimized.py`)."""
    return values["dynamics"] in ("sgd", "adam") or bool(values.get("weight_decay"))


def batch_points(values: Values, points: int) -> int | None:
    """Return the points of a mini-batch, None for all of them."""
    if "batch_size" not in values or (values["dynamics"] == "adam" and not values["batch_size"]):
        return None
    size = values["batch_size"] or min(32, points)
    if size > points:
        raise ConfigError(
            f"batch_size={size} is not allowed: there are {points} points; give at most {points}."
        )
    return None if size == points else size


def recorded(record: Sequence[float], end: float, dynamics: str) -> np.ndarray:
    """Return the wanted steps or times, in order, with the start and the end."""
    try:
        wanted = np.asarray(list(record), dtype=float)
    except (TypeError, ValueError):
        wanted = np.zeros((1, 1))
    if wanted.ndim != 1:
        raise ConfigError(f"record={record!r} is not allowed: give a list of numbers.")
    if wanted.size and not (
        np.isfinite(wanted).all() and wanted.min() >= 0 and wanted.max() <= end
    ):
        raise ConfigError(f"record must hold numbers from 0 to the end of the run, {end:g}.")
    if dynamics != "flow" and not (wanted == np.rint(wanted)).all():
        raise ConfigError(f"record must hold whole step numbers for dynamics={dynamics}.")
    marks = np.unique(np.concatenate([[0.0], wanted, [float(end)]]))
    return marks if dynamics == "flow" else marks.astype(np.int64)
