"""The numbers that a comparison's dynamics reads, checked, with their defaults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from lazycore.config import spec
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
OFFERED = (STEPS, STEP_SIZE, MOMENTUM, TIME, TOLERANCE)
"""Fields of the dynamics' files that `compare` takes; their others are as they are by default."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A dynamics that a comparison can have.

    reads: its fields. iterated: whether both models always take their steps one by one, by a rule
    of torch.optim (`optimized`). adam: whether that is Adam's. step_size: the one where none is
    given; chosen from the tangent kernel where it is None. small_batches: whether a batch is a
    part of the points where its size is not given.
    """

    reads: tuple[Field, ...]
    iterated: bool = False
    adam: bool = False
    step_size: float | None = None
    small_batches: bool = False

    @property
    def by_time(self) -> bool:
        """Whether it goes by a time, and not by whole steps."""
        return STEPS not in self.reads


OPTIMIZERS = {
    "gd": Choice(reads=(STEPS, STEP_SIZE, MOMENTUM, WEIGHT_DECAY)),
    "sgd": Choice(
        reads=(STEPS, STEP_SIZE, MOMENTUM, WEIGHT_DECAY, SIZE, SEED),
        iterated=True,
        small_batches=True,
    ),
    "adam": Choice(
        reads=(STEPS, STEP_SIZE, WEIGHT_DECAY, SIZE, SEED),
        iterated=True,
        adam=True,
        step_size=1e-3,  # as in torch
    ),
}
"""Those that torch.optim has: weight decay, and batches of people's modules, are theirs alone."""


@cache
def choices() -> dict[str, Choice]:
    """Return every dynamics of a comparison by its name.

    The optimisers, and the files of `lazycore.dynamics` that say that any module will do.
    """
    files = {name: file.SPEC for name, file in spec.collect("dynamics").items()}
    return OPTIMIZERS | {
        name: Choice(reads=tuple(field for field in OFFERED if field in known.reads))
        for name, known in files.items()
        if known.facts.get("of_modules") and name not in OPTIMIZERS
    }


def options(dynamics: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a dynamics' fields, null where they are to be chosen.

    Raises `ConfigError` for a dynamics that is none, a value that cannot be, and one that this
    dynamics does not read.
    """
    known = choices()
    if not isinstance(dynamics, str) or dynamics not in known:
        *first, last = known
        allowed = f"{', '.join(first)} or {last}"
        raise ConfigError(f"dynamics={dynamics!r} is not allowed: give {allowed}.")
    read = {field.name: field for field in known[dynamics].reads}
    for name, value in given.items():
        if value is not None and name not in read:
            raise ConfigError(
                f"{name}={shown(value)} is not read by dynamics={dynamics}, which reads "
                f"{', '.join(read)}."
            )
    values: dict[str, Any] = _others(dynamics)
    values |= {"dynamics": dynamics, "momentum": MOMENTUM.default}
    for name, field in read.items():
        value = given.get(name)
        values[name] = field.default if value is None else field.check(value)
    return values


def _others(dynamics: str) -> dict[str, Any]:
    """Return the fields of a dynamics' file that `compare` does not take, as by default."""
    if dynamics in OPTIMIZERS:
        return {}
    fields = spec.find("dynamics", dynamics).SPEC.reads
    return {f.name: f.default for f in fields if f not in OFFERED and not callable(f.default)}


def is_iterated(values: Values) -> bool:
    """Whether both models take their steps one by one (`optimized`)."""
    return choices()[values["dynamics"]].iterated or bool(values.get("weight_decay"))


def batch_points(values: Values, points: int) -> int | None:
    """Return the points of a mini-batch, None for all of them."""
    choice = choices()[values["dynamics"]]
    if not choice.iterated or not (values["batch_size"] or choice.small_batches):
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
    by_time = choices()[dynamics].by_time
    if not by_time and not (wanted == np.rint(wanted)).all():
        raise ConfigError(f"record must hold whole step numbers for dynamics={dynamics}.")
    marks = np.unique(np.concatenate([[0.0], wanted, [float(end)]]))
    return marks if by_time else marks.astype(np.int64)
