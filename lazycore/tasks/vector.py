"""One point, and a vector y* to reach: the training of h(w) ∈ R^k as such, without inputs.

With n = 1 the L²(ρ̂) norm is the plain norm of R^k, in which the theorems of Chizat, Oyallon
& Bach (2019, arXiv:1812.07956) are most easily read.
"""

from dataclasses import replace

import numpy as np

from lazycore.config import spec
from lazycore.config.fields import N_TEST, N_TRAIN
from lazycore.config.spec import Field, Spec, Values
from lazycore.errors import ConfigError
from lazycore.tasks import Sample, Streams


def check(values: Values) -> None:
    """Raise `ConfigError` for a model that reads inputs x, and for a loss over classes."""
    if spec.find("loss", values["loss"]).SPEC.facts["classifies"]:
        raise ConfigError(
            f"loss={values['loss']} takes classes, and task={values['task']} has a vector of "
            "real numbers: give loss=square or weighted_square."
        )
    if spec.find("model", values["model"]).SPEC.facts.get("reads_inputs", True):
        files = spec.collect("model").values()
        names = [f.SPEC.name for f in files if not f.SPEC.facts.get("reads_inputs", True)]
        raise ConfigError(
            f"task={values['task']} has no inputs x, which model={values['model']} reads: give "
            f"model={' or '.join(names)}."
        )


ONE_POINT = replace(N_TRAIN, default=1, high=1, meaning="training points: one")
NO_TEST = replace(N_TEST, default=0, high=0, meaning="test points: none")

SPEC = Spec(
    name="vector",
    meaning="reach a random target vector in R^k: no inputs",
    reads=(
        ONE_POINT,
        NO_TEST,
        Field(
            name="target_size",
            kind=int,
            default=4,
            low=1,
            high=1000,
            meaning="entries k of the target vector",
        ),
        Field(
            name="target_norm",
            default=1.0,
            low=1e-9,
            high=1e9,
            log=True,
            meaning="length ‖y*‖ of the target vector",
        ),
    ),
    defaults={"model": "quadratic"},
    check=check,
    facts={
        "inputs": lambda values: 0,
        "classes": lambda values: 0,
        "outputs": lambda values: values["target_size"],
    },
)


def sample(values: Values, streams: Streams) -> Sample:
    """Return a target of random direction and the given length."""
    y = streams.problem.standard_normal(values["target_size"])
    return one_point(values["target_norm"] / np.linalg.norm(y) * y)


def one_point(y: np.ndarray) -> Sample:
    """Return the sample of one point, without inputs, with this target vector (k,)."""
    return Sample(np.zeros((1, 0)), y[None], np.zeros((0, 0)), np.zeros((0, len(y))))
