"""More handwriting than MNIST has: the digits and the letters of EMNIST, from the data folder."""

from lazycore.config.fields import CENTERING, LABEL_NOISE, LABELS, N_TEST, N_TRAIN, PCA
from lazycore.config.spec import Field, Spec, Values
from lazycore.tasks import Sample, Streams, _images, _sets

SPLIT = Field(
    name="emnist_split",
    kind=str,
    default="digits",
    choices=("digits", "letters"),
    meaning="which of EMNIST; labels=ten are the letters A to J, parity is of all 26",
)
SIZES = {
    ("digits", "ten"): (240_000, 40_000),
    ("digits", "parity"): (240_000, 40_000),
    ("letters", "ten"): (48_000, 8_000),
    ("letters", "parity"): (124_800, 20_800),
}


def _check(values: Values) -> None:
    n_train, n_test = SIZES[values["emnist_split"], values["labels"]]
    what = f"these are {n_train:,} training and {n_test:,} test images"
    _images.at_most(values, n_train, n_test, what)


SPEC = Spec(
    name="emnist",
    meaning="28 × 28 digits or letters (Cohen et al. 2017), to be had with `data fetch`",
    reads=(SPLIT, N_TRAIN, N_TEST, LABELS, LABEL_NOISE, CENTERING, PCA),
    check=_check,
    facts=_images.facts((1, 28, 28), flips=False),
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return images of the official training and test files, classes interleaved, upright."""
    first = 10 if values["labels"] == "ten" else None
    return _sets.sample(values, streams, f"emnist_{values['emnist_split']}", classes=first)
