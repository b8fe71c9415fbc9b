"""Data of the user's own: an npz or CSV file in the folder `own` of the data folder.

The config holds the file's name, the hash of its content, the shape of a point and the number
of classes. What is not given is read from the file once, when the config is born on a machine
that has it; a resolved config holds it all, and is valid (a link opens) where there is no such
file. The hash is compared when the run is computed.
"""

from dataclasses import replace
from math import prod

import numpy as np

from lazycore.datasets import own
from lazycore.errors import ConfigError, DataError
from lazycore.fields import LABEL_NOISE, N_TEST, N_TRAIN, TARGET_NOISE
from lazycore.spec import Field, Spec, Values
from lazycore.tasks import Sample, Streams, _images


def _described(values: Values) -> own.Description:
    try:
        return own.describe(values["data_file"])
    except DataError as error:
        raise ConfigError(str(error)) from error


def _default_train(values: Values) -> int:
    found = _described(values)
    return min(100, found.rows if found.test_rows else max(1, 2 * found.rows // 3))


def _default_test(values: Values) -> int:
    found = _described(values)
    rest = max(0, found.rows - values["n_train"]) if found.test_rows is None else found.test_rows
    return min(200, rest)


FILE = Field(
    name="data_file",
    kind=str,
    default="example.csv",
    pattern=own.NAME,
    form=own.NAME_IN_WORDS,
    meaning="your file, by its name",
)
HASH = Field(
    name="data_hash",
    kind=str,
    default=lambda values: _described(values).hash,
    pattern="[0-9a-f]{16}",
    form="the first 16 hex digits of the SHA-256 of the file",
    pinned=True,
    meaning="hash of the file's content; left out: as it is now",
)
SHAPE = Field(
    name="data_shape",
    kind=str,
    default=lambda values: "x".join(map(str, _described(values).shape)),
    pattern=r"[1-9]\d{0,4}(x[1-9]\d{0,4}){0,2}",
    form="the numbers of a point, or channels x height x width, as in 5 or 3x32x32",
    pinned=True,
    meaning="shape of a point of the file; left out: as it is",
)
CLASSES = Field(
    name="data_classes",
    kind=int,
    default=lambda values: _described(values).classes,
    low=0,
    high=own.MOST_CLASSES,
    pinned=True,
    meaning="classes of the targets, 0 for real numbers; left out: as the file has them",
)

NOISE = replace(
    TARGET_NOISE,
    meaning="standard deviation of the noise on real targets, or probability that a training "
    "label is flipped",
)


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


def _check(values: Values) -> None:
    """Refuse what the described content cannot be: known at once where the file is here."""
    if values["data_classes"] and values["noise"] > LABEL_NOISE.high:
        raise ConfigError(
            f"noise={values['noise']:g} is not allowed: labels are flipped with a probability; "
            f"give {LABEL_NOISE.allowed}."
        )
    try:
        found = own.describe(values["data_file"])
    except DataError:
        return
    if found.hash != values["data_hash"]:
        return
    if found.shape != shape(values):
        right = "x".join(map(str, found.shape))
        raise ConfigError(
            f"data_shape={values['data_shape']} is not that of {values['data_file']}: give "
            f"{right} or leave it out."
        )
    if values["data_classes"] not in (0, found.classes):
        raise ConfigError(
            f"data_classes={values['data_classes']} is not what {values['data_file']} holds: give "
            f"{found.classes} or leave it out."
        )
    if found.test_rows is not None:
        what = f"{values['data_file']} has {found.rows:,} and {found.test_rows:,} points"
        _images.at_most(values, found.rows, found.test_rows, what)
    else:
        what = f"{values['data_file']} has {found.rows:,} points"
        _images.share_out(values, found.rows, what)


SPEC = Spec(
    name="own",
    meaning="your own data: an npz or CSV file in the data folder",
    reads=(
        FILE,
        HASH,
        SHAPE,
        CLASSES,
        replace(N_TRAIN, default=_default_train, pinned=True),
        replace(N_TEST, default=_default_test, pinned=True),
        NOISE,
    ),
    check=_check,
    facts={
        "inputs": lambda values: prod(shape(values)),
        "classes": lambda values: values["data_classes"],
        "image": image,
        "flips": False,
    },
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return points of the file in a random order, normalised.

    Images as those of other tasks; of rows the training mean is removed and every column
    divided by its standard deviation on the training points. From a file of one table,
    training points come from one end of the order and test points from the other. Raises
    `DataError` where the file is not there, or not the one that the config describes.
    """
    found = own.load(values["data_file"], values["data_hash"])
    described = found.train[0].shape[1:] == shape(values)
    if not described or values["data_classes"] not in (0, found.classes):
        raise DataError(
            f"{values['data_file']} does not hold points of shape {values['data_shape']} in "
            f"{values['data_classes']} classes: leave data_shape and data_classes out."
        )
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
    normalise = _images.normalise if len(shape(values)) == 3 else _standardise
    x_train, x_test = normalise(x_train, x_test)
    if values["data_classes"]:
        y_train, y_test = own.class_indices(y_train), own.class_indices(y_test)
    return Sample(x_train, y_train, x_test, y_test)


def _first(
    values: Values, part: str, pool: tuple, order: np.ndarray, name: str
) -> tuple[np.ndarray, np.ndarray]:
    n, (x, y) = values[f"n_{part}"], pool
    if n > len(x):
        raise DataError(f"n_{part}={n} is more than the {len(x):,} points of {name}.")
    chosen = order[:n]
    return x[chosen].reshape(n, prod(x.shape[1:])).astype(np.float64), y[chosen]


def _standardise(x_train: np.ndarray, x_test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both sets without the training mean, in units of its standard deviation."""
    mean, spread = x_train.mean(axis=0), x_train.std(axis=0)
    spread = np.where(spread > 0.0, spread, 1.0)  # a constant column stays at 0
    return (x_train - mean) / spread, (x_test - mean) / spread
