"""Handwritten digits, 28 × 28: the whole of MNIST, from the user's data folder."""

from lazycore.config.fields import CENTERING, LABEL_NOISE, LABELS, N_TEST, N_TRAIN, PCA
from lazycore.config.spec import Spec, Values
from lazycore.tasks import Sample, Streams, _images, _sets


def _check(values: Values) -> None:
    _images.at_most(values, 60_000, 10_000, "MNIST has 60,000 training and 10,000 test images")


SPEC = Spec(
    name="mnist",
    meaning="28 × 28 handwritten digits (LeCun et al.), to be had with `data fetch mnist`",
    reads=(N_TRAIN, N_TEST, LABELS, LABEL_NOISE, CENTERING, PCA),
    check=_check,
    facts=_images.facts((1, 28, 28), flips=False),
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return images of the official training and test files, classes interleaved."""
    return _sets.sample(values, streams, "mnist")
