"""The fields of a run on a file of the user's own, and what they are where nothing is given."""

from dataclasses import replace

from lazycore.config.fields import N_TEST, N_TRAIN, TARGET_NOISE
from lazycore.config.spec import Field, Values
from lazycore.datasets import own
from lazycore.datasets.rows import LAST
from lazycore.datasets.understood import Choices
from lazycore.errors import ConfigError, DataError

NONE = "none"
"""The text of data_without for no column."""


def choices(values: Values) -> Choices:
    """Return how the file is to be read, as far as it was chosen; classes aside."""
    without = values.get("data_without") or NONE
    return Choices(
        target=values.get("data_target") or "",
        missing=values.get("data_missing") or "refuse",
        without=() if without == NONE else tuple(without.split("+")),
    )


def described(values: Values) -> own.Description:
    try:
        return own.describe(values["data_file"], choices(values))
    except DataError as error:
        raise ConfigError(str(error)) from error


def _hash(values: Values) -> str:
    try:
        return own.hash_now(values["data_file"])
    except DataError as error:
        raise ConfigError(str(error)) from error


def is_here(values: Values) -> bool:
    """Whether the file that the config describes is on this machine."""
    try:
        return own.hash_now(values["data_file"]) == values["data_hash"]
    except DataError:
        return False


def _default_classes(values: Values) -> int:
    found = described(values)
    if found.classes is None:
        raise ConfigError(str(found.question))
    return found.classes


def _settled_target(given: str, values: Values) -> str:
    """Return the name that stands for the target in configs, where the file is here to ask."""
    before = {name: value for name, value in values.items() if name != "data_target"}
    if given == LAST or not is_here(before):
        return given
    return described(before | {"data_target": given}).target


def _default_train(values: Values) -> int:
    found = described(values)
    return min(100, found.rows if found.test_rows else max(1, 2 * found.rows // 3))


def _default_test(values: Values) -> int:
    found = described(values)
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
    default=_hash,
    pattern="[0-9a-f]{16}",
    form="the first 16 hex digits of the SHA-256 of the file",
    pinned=True,
    meaning="hash of the file's content; left out: as it is now",
)
MISSING = Field(
    name="data_missing",
    kind=str,
    default="refuse",
    choices=("refuse", "drop_rows", "mean"),
    added=True,
    meaning="rows with missing values are refused, left out, or take the mean of the training "
    "points; a row without a target is left out",
)
WITHOUT = Field(
    name="data_without",
    kind=str,
    default=NONE,
    pattern=r"[^,:\x00-\x1f]{1,200}",
    form="names or numbers of columns with + between them, or none",
    added=True,
    when=lambda values: values["data_file"].endswith(".csv"),
    meaning="columns of the table that are left out, as in id+date",
)
TARGET = Field(
    name="data_target",
    kind=str,
    default=lambda values: described(values).target,
    pattern=r"[^,:\x00-\x1f]{1,40}",
    form="the name of a column, its number from 1, first or last",
    before=LAST,
    pinned=True,
    settled=_settled_target,
    when=lambda values: values["data_file"].endswith(".csv"),
    meaning="the column to be learned; left out: the one whose name says so, else the last",
)
SHAPE = Field(
    name="data_shape",
    kind=str,
    default=lambda values: "x".join(map(str, described(values).shape)),
    pattern=r"[1-9]\d{0,4}(x[1-9]\d{0,4}){0,2}",
    form="the numbers of a point, or channels x height x width, as in 5 or 3x32x32",
    pinned=True,
    meaning="shape of a point of the file; left out: as it is",
)
CLASSES = Field(
    name="data_classes",
    kind=int,
    default=_default_classes,
    low=0,
    high=own.MOST_CLASSES,
    pinned=True,
    meaning="classes of the targets, 0 for real numbers; left out: as the file has them",
)

SCALING = Field(
    name="target_scaling",
    kind=str,
    default="standard",
    choices=("standard", "none"),
    before="none",
    pinned=True,
    when=lambda values: values["data_classes"] == 0,
    meaning="standard: real targets are taken without the mean of the training targets, in units "
    "of their standard deviation",
)
NOISE = replace(
    TARGET_NOISE,
    meaning="standard deviation of the noise on real targets, as they are trained on "
    "(`target_scaling`), or probability that a training label is flipped",
)
READS = (
    FILE,
    HASH,
    MISSING,
    WITHOUT,
    TARGET,
    SHAPE,
    CLASSES,
    SCALING,
    replace(N_TRAIN, default=_default_train, pinned=True),
    replace(N_TEST, default=_default_test, pinned=True),
    NOISE,
)
