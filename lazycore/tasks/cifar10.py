"""Small colour photographs, 3 × 32 × 32: CIFAR-10, from the user's data folder."""

from lazycore.config.fields import CENTERING, LABEL_NOISE, LABELS, N_TEST, N_TRAIN, PCA
from lazycore.config.spec import Spec, Values
from lazycore.tasks import Sample, Streams, _images, _sets


def _check(values: Values) -> None:
    _images.at_most(values, 50_000, 10_000, "CIFAR-10 has 50,000 training and 10,000 test images")


SPEC = Spec(
    name="cifar10",
    meaning="32 × 32 colour photographs (Krizhevsky 2009), to be had with `data fetch cifar10`",
    reads=(N_TRAIN, N_TEST, LABELS, LABEL_NOISE, CENTERING, PCA),
    check=_check,
    facts=_images.facts((3, 32, 32), flips=True),
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return images of the official batches, classes interleaved, colours as three planes."""
    return _sets.sample(values, streams, "cifar10")
