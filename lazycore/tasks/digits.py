"""Real handwritten digits, 8 × 8: the UCI optical recognition set that ships with us."""

from lazycore.errors import ConfigError
from lazycore.fields import LABEL_NOISE, LABELS, N_TEST, N_TRAIN
from lazycore.spec import Spec, Values
from lazycore.tasks import Sample, Streams, _images

AVAILABLE = 1740
"""Ten times the 174 images of the rarest digit."""


def _check(values: Values) -> None:
    total = values["n_train"] + values["n_test"]
    if total > AVAILABLE:
        raise ConfigError(
            f"n_train + n_test = {total} is not allowed: the digits set has {AVAILABLE} images "
            f"in balanced classes; give n_test at most {max(0, AVAILABLE - values['n_train'])}."
        )


SPEC = Spec(
    name="digits",
    meaning="8 × 8 images of handwritten digits (Alpaydin & Kaynak, UCI)",
    reads=(N_TRAIN, N_TEST, LABELS, LABEL_NOISE),
    check=_check,
    facts={
        "inputs": lambda values: 64,
        "classes": _images.classes,
        "image": lambda values: (1, 8, 8),
        "flips": False,
    },
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return the first n_train and the last n_test images of the interleaved order."""
    file = _images.read("digits_1797.npz")
    order = _images.interleave(file["y"], streams.problem)
    train = order[: values["n_train"]]
    test = order[AVAILABLE - values["n_test"] :]
    x, y = file["x"], file["y"].astype(int)
    return _images.assemble(values, (x[train], y[train]), (x[test], y[test]))
