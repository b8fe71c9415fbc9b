"""One point of the plane to reach, chosen by hand: h(w) ∈ R² can be drawn."""

import numpy as np

from lazycore.config.spec import Field, Spec, Values
from lazycore.tasks import Sample, Streams
from lazycore.tasks.vector import NO_TEST, ONE_POINT, check, one_point


def _coordinate(name: str, default: float, meaning: str) -> Field:
    return Field(name=name, default=default, low=-1e6, high=1e6, meaning=meaning)


SPEC = Spec(
    name="plane_target",
    meaning="reach a point of the plane: no inputs",
    reads=(
        ONE_POINT,
        NO_TEST,
        _coordinate("target_1", -1.0, "first coordinate of the target"),
        _coordinate("target_2", 1.5, "second coordinate of the target"),
    ),
    defaults={"model": "figure_eight"},
    check=check,
    facts={
        "inputs": lambda values: 0,
        "classes": lambda values: 0,
        "outputs": lambda values: 2,
    },
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return the target."""
    return one_point(np.array([values["target_1"], values["target_2"]]))
