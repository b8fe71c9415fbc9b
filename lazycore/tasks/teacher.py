"""The two-layer ReLU teacher of Chizat, Oyallon & Bach (2019, arXiv:1812.07956, §3.1)."""

import numpy as np

from lazycore.config.fields import DIM, N_TEST, N_TRAIN, TARGET_NOISE
from lazycore.config.spec import Spec, Values
from lazycore.tasks import Sample, Streams

NEURONS = 3

SPEC = Spec(
    name="teacher",
    meaning="recover three ReLU neurons from points on the unit sphere",
    reads=(N_TRAIN, N_TEST, DIM, TARGET_NOISE),
    facts={
        "inputs": lambda values: values["dim"],
        "classes": lambda values: 0,
        "endless": True,
        "rays": lambda values: teacher(values, Streams.from_seed(values["data_seed"])),
    },
)


def teacher(values: Values, streams: Streams) -> tuple[np.ndarray, np.ndarray]:
    """Return the teacher's directions b (3, d), unit vectors, and output signs a (3,).

    y(x) = Σ_j a_j max(b_j · x, 0) with ‖a_j b_j‖ = 1 (§3.1).
    """
    b = streams.problem.standard_normal((NEURONS, values["dim"]))
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    return b, np.sign(streams.problem.standard_normal(NEURONS))


def sample(values: Values, streams: Streams) -> Sample:
    """Return inputs uniform on the unit sphere of R^d and the teacher's outputs."""
    b, a = teacher(values, streams)

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.standard_normal((n, values["dim"]))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        return x, np.maximum(x @ b.T, 0.0) @ a

    return Sample(*draw(streams.train, values["n_train"]), *draw(streams.test, values["n_test"]))
