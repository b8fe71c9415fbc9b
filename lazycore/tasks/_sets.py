"""What the tasks of whole image sets share: their images from disk."""

import numpy as np

from lazycore.config.spec import Values
from lazycore.datasets import images
from lazycore.tasks import Sample, Streams, _images


def sample(values: Values, streams: Streams, name: str, classes: int | None = None) -> Sample:
    """Return the first images of both parts of a set, classes in turn.

    classes: how many of them, the first ones, are used; all when None. `DataError` says what
    is missing or wrong, and the command that gets it.
    """

    def draw(part: str, n: int, rng: np.random.Generator) -> tuple:
        pictures, labels = images.images(name, part)
        among = np.arange(len(labels)) if classes is None else np.flatnonzero(labels < classes)
        index = among[_images.in_turn(labels[among], rng)][:n]
        return pictures[index], labels[index]

    train = draw("train", values["n_train"], streams.train)
    return _images.assemble(values, train, draw("test", values["n_test"], streams.test))
