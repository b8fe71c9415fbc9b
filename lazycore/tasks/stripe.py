"""Two planes in a cloud of points: a label that knows one of many directions.

Of Geiger, Spigler, Jacot & Wyart (2020, arXiv:1906.08034) and Paccolat, Petrini, Geiger, Tyloo
& Wyart (2021, arXiv:2007.11471), where a network that learns features compresses the others.
"""

import numpy as np

from lazycore.config.fields import DIM, LABEL_NOISE, N_TEST, N_TRAIN
from lazycore.config.spec import Spec, Values
from lazycore.tasks import Sample, Streams

LOW, HIGH = -0.3, 1.18549
"""The stripe: about half of a standard normal variable lies between these."""


def _directions(values: Values) -> tuple[range, range]:
    return range(1), range(1, values["dim"])


SPEC = Spec(
    name="stripe",
    meaning="tell points between two planes from those outside; one of d directions matters",
    reads=(N_TRAIN, N_TEST, DIM, LABEL_NOISE),
    facts={
        # One more input is 1 everywhere: without biases nothing could tell where the stripe is.
        "inputs": lambda values: values["dim"] + 1,
        "classes": lambda values: 2,
        "directions": _directions,
    },
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return x ~ N(0, I_d) with a further input 1, and class 1 where −0.3 < x₁ < 1.18549."""

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.standard_normal((n, values["dim"]))
        inside = (x[:, 0] > LOW) & (x[:, 0] < HIGH)
        return np.concatenate([x, np.ones((n, 1))], axis=1), inside * 1

    return Sample(*draw(streams.train, values["n_train"]), *draw(streams.test, values["n_test"]))
