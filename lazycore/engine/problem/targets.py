"""From a task's raw targets to what the loss reads. numpy only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lazycore.config import spec
from lazycore.config.spec import Values
from lazycore.tasks import Streams


@dataclass(frozen=True)
class Dataset:
    """A data set ready for training.

    x_train (n, d), y_train (n, k), x_test (n', d), y_test (n', k): targets are real numbers,
    ±1 (k = 1), or one-hot rows. `classes` is 0 when the targets are real numbers under the
    chosen loss: then there is no classification error. units: `target_mean` and
    `target_scale` of real targets that were standardised, else nothing.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: int
    units: Mapping[str, float] = field(default_factory=dict)


def dataset(values: Values) -> Dataset:
    """Return the data of the run with these resolved fields.

    Noise goes on training targets only: added to real ones, or as the probability of
    another class. Under a classification loss a real target counts as +1 above the median
    of the (clean) training targets and as −1 elsewhere.
    """
    streams = Streams.from_seed(values["data_seed"])
    sample = spec.find("task", values["task"]).sample(values, streams)
    classes = spec.find("task", values["task"]).SPEC.facts["classes"](values)
    facts = spec.find("loss", values["loss"]).SPEC.facts
    y_train, y_test = sample.y_train, sample.y_test
    if classes == 0:
        if values["noise"]:
            y_train = y_train + values["noise"] * streams.noise.standard_normal(y_train.shape)
        if facts["classifies"]:
            middle = np.median(sample.y_train)
            y_train, y_test, classes = (y_train > middle) * 1, (y_test > middle) * 1, 2
    elif values["noise"] > 0.0:
        y_train = flipped(y_train, classes, values["noise"], streams.noise)
    outputs = facts["outputs"](classes)
    encode = real if classes == 0 else signs if outputs == 1 else one_hot
    encoded = (encode(y, outputs) for y in (y_train, y_test))
    units = {"target_mean": sample.target_mean, "target_scale": sample.target_scale}
    units = units if classes == 0 and tuple(units.values()) != (0.0, 1.0) else {}
    return Dataset(sample.x_train, next(encoded), sample.x_test, next(encoded), classes, units)


def flipped(y: np.ndarray, classes: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return labels of which each is, with probability `share`, another class than before."""
    other = (y + rng.integers(1, classes, len(y))) % classes
    return np.where(rng.uniform(size=len(y)) < share, other, y)


def real(y: np.ndarray, outputs: int) -> np.ndarray:
    """Return real targets as a matrix: a column where there is one to a point."""
    return (y[:, None] if y.ndim == 1 else y).astype(np.float64)


def signs(y: np.ndarray, outputs: int) -> np.ndarray:
    """Return class 1 as +1 and class 0 as −1, as a column."""
    return np.where(y == 1, 1.0, -1.0)[:, None]


def one_hot(y: np.ndarray, outputs: int) -> np.ndarray:
    """Return rows that are 1 at the class and 0 elsewhere."""
    return np.eye(outputs)[y]
