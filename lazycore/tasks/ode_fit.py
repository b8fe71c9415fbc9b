"""Times and noisy positions of a damped oscillator whose parameters are to be found."""

from dataclasses import replace

import numpy as np

from lazycore.config.fields import N_TEST, N_TRAIN, TARGET_NOISE
from lazycore.config.spec import Spec, Values
from lazycore.tasks import Sample, Streams

LONGEST = 10.0
"""Times are up to this long."""
SPREAD = 0.5
"""Standard deviation of the true parameters in the logarithms of stiffness and damping."""

SPEC = Spec(
    name="ode_fit",
    meaning="find the damped oscillator that a few noisy positions are of",
    reads=(
        replace(N_TRAIN, default=30),
        replace(N_TEST, default=100),
        replace(TARGET_NOISE, default=0.05),
    ),
    # Networks of one variable need random kinks to fit anything.
    defaults={"model": "ode", "bias": "normal"},
    facts={"inputs": lambda values: 1, "classes": lambda values: 0},
)


def truth(values: Values, streams: Streams) -> tuple[float, float, float, float]:
    """Return stiffness k and damping c, ¼ at the middle, of q'' = −k q − c q', and q(0), q'(0).

    k = e^ξ, 4c = e^ξ' with ξ, ξ' ~ N(0, ½²); the start lies on the unit circle.
    """
    k, damping = np.exp(SPREAD * streams.problem.standard_normal(2))
    angle = streams.problem.uniform(0.0, 2.0 * np.pi)
    return float(k), float(0.25 * damping), float(np.cos(angle)), float(np.sin(angle))


def position(t: np.ndarray, k: float, c: float, start: float, speed: float) -> np.ndarray:
    """Return q(t) in closed form: q = Re(A e^{λt} + B e^{λ't}), λ² + cλ + k = 0."""
    root = np.sqrt(complex(0.25 * c * c - k))
    if root == 0.0:
        return (start + (speed + 0.5 * c * start) * t) * np.exp(-0.5 * c * t)
    first, second = -0.5 * c + root, -0.5 * c - root
    a = (speed - second * start) / (first - second)
    return (a * np.exp(first * t) + (start - a) * np.exp(second * t)).real


def sample(values: Values, streams: Streams) -> Sample:
    """Return times uniform on [0, 10] and the positions there."""
    parameters = truth(values, streams)

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        t = rng.uniform(0.0, LONGEST, (n, 1))
        return t, position(t[:, 0], *parameters)

    return Sample(*draw(streams.train, values["n_train"]), *draw(streams.test, values["n_test"]))
