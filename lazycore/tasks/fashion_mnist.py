"""Real pictures of clothes, 28 × 28: the part of Fashion-MNIST that ships with us, or more.

Up to 2,000 training and 1,000 test images are those that ship, whatever else is there; beyond
them the order goes on with the rest of the complete set, from the user's data folder. So a
config means the same images on every machine.
"""

import numpy as np

from lazycore.config.fields import CENTERING, LABEL_NOISE, LABELS, N_TEST, N_TRAIN, PCA
from lazycore.config.spec import Spec, Values
from lazycore.datasets import images
from lazycore.tasks import Sample, Streams, _images


def _check(values: Values) -> None:
    _images.at_most(values, 60_000, 10_000, "there are 60,000 training and 10,000 test images")


SPEC = Spec(
    name="fashion_mnist",
    meaning="28 × 28 images of clothes (Xiao et al. 2017, arXiv:1708.07747)",
    reads=(N_TRAIN, N_TEST, LABELS, LABEL_NOISE, CENTERING, PCA),
    check=_check,
    facts=_images.facts((1, 28, 28), flips=True),
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return balanced images of the official training and test files, classes interleaved."""
    train = _draw("train", values["n_train"], streams.train)
    return _images.assemble(values, train, _draw("test", values["n_test"], streams.test))


def _draw(part: str, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    file = _images.read("fashion_mnist_2000_1000.npz")
    pictures, digit = file[f"x_{part}"], file[f"y_{part}"].astype(int)
    index = _images.interleave(digit, rng)[:n]
    pictures, digit = pictures[index], digit[index]
    if n <= len(file[f"y_{part}"]):
        return pictures, digit
    every, classes = images.images("fashion_mnist", part)
    each = len(file[f"y_{part}"]) // 10  # what ships are the first ones of each class
    rest = np.concatenate([np.flatnonzero(classes == c)[each:] for c in range(10)])
    index = rest[_images.in_turn(classes[rest], rng)][: n - len(digit)]
    return (
        np.concatenate([pictures, every[index, 0]]),
        np.concatenate([digit, classes[index]]),
    )
