"""k-sparse parity: the product of the first k of d signs, which no fixed features see cheaply."""

import numpy as np

from lazycore.config.fields import DIM, LABEL_NOISE, N_TEST, N_TRAIN
from lazycore.config.spec import Field, Spec, Values
from lazycore.errors import ConfigError
from lazycore.tasks import Sample, Streams

PARITY_ORDER = Field(
    name="parity_order",
    kind=int,
    default=lambda values: min(3, values["dim"]),
    low=1,
    high=100,
    meaning="signs whose product is the label, k of the d",
)


def _check(values: Values) -> None:
    if values["parity_order"] > values["dim"]:
        raise ConfigError(
            f"parity_order={values['parity_order']} is not allowed: there are dim={values['dim']} "
            f"signs; give at most {values['dim']}."
        )


SPEC = Spec(
    name="parity",
    meaning="the product of k of d signs",
    reads=(N_TRAIN, N_TEST, DIM, PARITY_ORDER, LABEL_NOISE),
    check=_check,
    facts={"inputs": lambda values: values["dim"], "classes": lambda values: 2},
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return inputs uniform on {−1, 1}^d and the class of x_1 ⋯ x_k: 1 where it is positive."""

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.choice([-1.0, 1.0], size=(n, values["dim"]))
        return x, (x[:, : values["parity_order"]].prod(axis=1) > 0.0).astype(int)

    return Sample(*draw(streams.train, values["n_train"]), *draw(streams.test, values["n_test"]))
