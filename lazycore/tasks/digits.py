"""Real handwritten digits, 8 × 8: the UCI optical recognition set that ships with us."""

from lazycore.config.fields import CENTERING, LABEL_NOISE, LABELS, N_TEST, N_TRAIN, PCA
from lazycore.config.spec import Spec, Values
from lazycore.tasks import Sample, Streams, _images

AVAILABLE = 1740
"""Ten times the 174 images of the rarest digit."""


def _check(values: Values) -> None:
    what = f"the digits set has {AVAILABLE} images in balanced classes"
    _images.share_out(values, AVAILABLE, what)


SPEC = Spec(
    name="digits",
    meaning="8 × 8 images of handwritten digits (Alpaydin & Kaynak, UCI)",
    reads=(N_TRAIN, N_TEST, LABELS, LABEL_NOISE, CENTERING, PCA),
    check=_check,
    facts=_images.facts((1, 8, 8), flips=False),
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return the first n_train and the last n_test images of the interleaved order."""
    file = _images.read("digits_1797.npz")
    order = _images.interleave(file["y"], streams.problem)
    train = order[: values["n_train"]]
    test = order[AVAILABLE - values["n_test"] :]
    x, y = file["x"], file["y"].astype(int)
    return _images.assemble(values, (x[train], y[train]), (x[test], y[test]))
