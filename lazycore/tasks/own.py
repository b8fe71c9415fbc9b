"""Data of the user's own: an npz or CSV file in the folder `own` of the data folder.

The config holds the file's name, the hash of its content, how it is read (target, missing
values, columns left out), the shape of a point and the number of classes. What is not given is
read from the file once, when the config is born on a machine that has it; a resolved config
holds it all, and is valid (a link opens) where there is no such file. The hash is compared when
the run is computed.
"""

from math import prod

import numpy as np

from lazycore.config.fields import LABEL_NOISE
from lazycore.config.spec import Spec, Values
from lazycore.datasets import own
from lazycore.datasets.columns import are_constant
from lazycore.datasets.rows import LAST
from lazycore.errors import ConfigError, DataError
from lazycore.tasks import Sample, Streams, _images
from lazycore.tasks._own_fields import READS, choices, described, is_here


def shape(values: Values) -> tuple[int, ...]:
    """Return the shape of a point."""
    return tuple(int(part) for part in values["data_shape"].split("x"))


def image(values: Values) -> tuple[int, int, int]:
    """Return (channels, height, width); `ConfigError` where points are rows of numbers."""
    sizes = shape(values)
    if len(sizes) != 3:
        raise ConfigError(
            f"data_file={values['data_file']} holds rows of numbers, not images, which "
            f"model={values['model']} takes: give a file of images, or model=two_layer."
        )
    return sizes


def _is_older(values: Values, found: own.Description) -> bool:
    """Whether these are of a table that used to be read otherwise: the first row as data, or
    every column but the last as an input. Such a config opens, and is not run."""
    if values.get("data_target") != LAST:
        return False
    others = found.shape != shape(values) == (len(found.understood.columns) - 1,)
    return found.target != LAST or others


def _check(values: Values) -> None:
    """Refuse what the described content cannot be: known at once where the file is here."""
    if values["data_classes"] and values["noise"] > LABEL_NOISE.high:
        raise ConfigError(
            f"noise={values['noise']:g} is not allowed: labels are flipped with a probability; "
            f"give {LABEL_NOISE.allowed}."
        )
    if not is_here(values):
        return
    found = described(values)
    if _is_older(values, found):
        return
    if found.shape != shape(values):
        right = "x".join(map(str, found.shape))
        raise ConfigError(
            f"data_shape={values['data_shape']} is not that of {values['data_file']}: give "
            f"{right} or leave it out."
        )
    if values["data_classes"] not in found.allowed:
        right = " or ".join(map(str, found.allowed))
        raise ConfigError(
            f"data_classes={values['data_classes']} is not what {values['data_file']} holds: give "
            f"{right}, or leave it out."
        )
    if found.test_rows is not None:
        what = f"{values['data_file']} has {found.rows:,} and {found.test_rows:,} points"
        _images.at_most(values, found.rows, found.test_rows, what)
    else:
        what = f"{values['data_file']} has {found.rows:,} points"
        _images.share_out(values, found.rows, what)


def understood(values: Values) -> str:
    """Return in one line how the file of these resolved fields is understood; empty where it is
    not here."""
    return f"{values['data_file']}: {described(values).understood.line}" if is_here(values) else ""


SPEC = Spec(
    name="own",
    meaning="your own data: an npz or CSV file in the data folder",
    reads=READS,
    check=_check,
    facts={
        "inputs": lambda values: prod(shape(values)),
        "classes": lambda values: values["data_classes"],
        "image": image,
        "flips": False,
        "understood": understood,
    },
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return points of the file in a random order, normalised.

    Images as those of other tasks; of rows the training mean is removed and every column
    divided by its standard deviation on the training points: one that is constant there is 0
    on all points. Real targets likewise (`target_scaling`). From a file of one table, training
    points come from one end of the order and test points from the other. Raises `DataError`
    where the file is not there, or not the one that the config describes, and for training
    targets that are all one.
    """
    found = _loaded(values)
    if found.test is None:
        order = streams.problem.permutation(len(found.train[0]))
        pools = {"train": (found.train, order), "test": (found.train, order[::-1])}
    else:
        pools = {
            "train": (found.train, streams.train.permutation(len(found.train[0]))),
            "test": (found.test, streams.test.permutation(len(found.test[0]))),
        }
    (x_train, y_train), (x_test, y_test) = (
        _first(values, part, *pools[part], values["data_file"]) for part in ("train", "test")
    )
    x_train, x_test = _filled(x_train, x_test)
    normalise = _images.normalise if len(shape(values)) == 3 else _standardise
    x_train, x_test = normalise(x_train, x_test)
    if values["data_classes"]:
        different = np.unique(found.targets)
        y_train, y_test = (own.class_indices(y, different) for y in (y_train, y_test))
    elif values["target_scaling"] == "standard":
        mean, scale = _units(y_train, found.raw.target, values["data_file"])
        return Sample(
            x_train, (y_train - mean) / scale, x_test, (y_test - mean) / scale, mean, scale
        )
    return Sample(x_train, y_train, x_test, y_test)


def _loaded(values: Values) -> own.Table:
    """Return the content of the file; `DataError` where it is not as the config describes it."""
    found = own.load(values["data_file"], values["data_hash"], choices(values))
    described = found.train[0].shape[1:] == shape(values)
    # A config from before targets had names may be of a table that is read otherwise now.
    described = described and values.get("data_target", found.raw.chosen) == found.raw.chosen
    if not described or values["data_classes"] not in found.allowed:
        raise DataError(
            f"{values['data_file']} does not hold points of shape {values['data_shape']} in "
            f"{values['data_classes']} classes, target {values.get('data_target', 'y')}, as it is "
            "read now: leave data_shape, data_classes and data_target out."
        )
    return found


def _first(
    values: Values, part: str, pool: tuple, order: np.ndarray, name: str
) -> tuple[np.ndarray, np.ndarray]:
    n, (x, y) = values[f"n_{part}"], pool
    if n > len(x):
        raise DataError(f"n_{part}={n} is more than the {len(x):,} points of {name}.")
    chosen = order[:n]
    return x[chosen].reshape(n, prod(x.shape[1:])).astype(np.float64), y[chosen]


def _filled(x_train: np.ndarray, x_test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both sets with the mean of the training points where a number is missing."""
    if not (np.isnan(x_train).any() or np.isnan(x_test).any()):
        return x_train, x_test
    there = ~np.isnan(x_train)
    # A column that no training point has is as good as constant.
    mean = np.where(there, x_train, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return np.where(np.isnan(x_train), mean, x_train), np.where(np.isnan(x_test), mean, x_test)


def _standardise(x_train: np.ndarray, x_test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both sets without the training mean, in units of its standard deviation."""
    mean, spread = x_train.mean(axis=0), x_train.std(axis=0)
    varies = ~are_constant(x_train)
    scale = np.where(varies, 1.0, 0.0) / np.where(varies, spread, 1.0)
    return (x_train - mean) * scale, (x_test - mean) * scale


def _units(y: np.ndarray, target: str, name: str) -> tuple[float, float]:
    """Return mean and standard deviation of the training targets; `DataError` where they are
    all one."""
    if are_constant(y[:, None])[0]:
        raise DataError(
            f"the {len(y)} training targets {target} of {name} are all {y[0]:.6g}, so that there "
            "is nothing to learn: give another data_target or more points, or "
            "target_scaling=none to train on them all the same."
        )
    return float(y.mean()), float(y.std())
