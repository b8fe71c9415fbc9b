"""Two concentric circles: the smallest classification that no line separates."""

import numpy as np

from lazycore.config.fields import LABEL_NOISE, N_TEST, N_TRAIN
from lazycore.config.spec import Spec, Values
from lazycore.tasks import Sample, Streams

RADII = np.array([0.5, 1.0])

SPEC = Spec(
    name="circles",
    meaning="tell the circle of radius ½ from the circle of radius 1",
    reads=(N_TRAIN, N_TEST, LABEL_NOISE),
    # Without biases the two circles differ by a factor only: no random kinks, no features.
    defaults={"bias": "normal"},
    facts={"inputs": lambda values: 2, "classes": lambda values: 2},
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return points at uniform angles, alternately on the inner (0) and outer (1) circle."""

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        angle = rng.uniform(0.0, 2.0 * np.pi, n)
        label = np.arange(n) % 2
        return RADII[label, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1), label

    return Sample(*draw(streams.train, values["n_train"]), *draw(streams.test, values["n_test"]))
