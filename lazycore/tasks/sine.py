"""One period of a sine on the line: the smallest regression one can look at."""

from dataclasses import replace

import numpy as np

from lazycore.config.fields import N_TEST, N_TRAIN, TARGET_NOISE
from lazycore.config.spec import Spec, Values
from lazycore.tasks import Sample, Streams

SPEC = Spec(
    name="sine",
    meaning="fit sin(x) on [−π, π] from a few points",
    reads=(replace(N_TRAIN, default=20), replace(N_TEST, default=100), TARGET_NOISE),
    # Tangent features without random kinks cannot fit a function of one variable.
    defaults={"bias": "normal"},
    facts={"inputs": lambda values: 1, "classes": lambda values: 0},
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return x uniform on [−π, π] and y = sin(x)."""

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.uniform(-np.pi, np.pi, (n, 1))
        return x, np.sin(x[:, 0])

    return Sample(*draw(streams.train, values["n_train"]), *draw(streams.test, values["n_test"]))
