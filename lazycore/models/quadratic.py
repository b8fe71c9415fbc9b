"""h(w) = A w + ½ wᵀB w from w0 = 0: the smallest model whose constants are all known.

A is a k × p matrix with singular values from 1 to 1.5, B a stack of k symmetric matrices with
√λ_max(Σ B_i²) = `bend`, which bounds Lip(Dh) everywhere. So ‖Dh(w0)‖ = 1.5, σ_min = 1 and
h(w0) = 0 exactly.
"""

from lazycore.config.spec import Field, Spec, Values
from lazycore.models import _programs

LARGEST_SINGULAR_VALUE = 1.5
DIMENSION = Field(
    name="weights",
    kind=int,
    default=12,
    low=1,
    high=2000,
    meaning="weights p of the model: at least k is over-parameterised",
)
BEND = Field(
    name="bend",
    default=1.0,
    low=0.0,
    high=1e6,
    meaning="bound on Lip(Dh): 0 is a linear model",
)

SPEC = Spec(
    name="quadratic",
    meaning="a quadratic of the weights alone, h(w) = A w + ½ wᵀB w",
    reads=(DIMENSION, BEND),
    check=_programs.no_inputs,
    facts={
        "parameters": lambda values, d, k: values["weights"],
        "operations": lambda values, d, k: k * values["weights"] ** 2,
        "reads_inputs": False,
        "linear_layers": lambda values: 0,
    },
)


def build(values: Values, d: int, k: int):
    """Return the model for k outputs; A and B are drawn from `init_seed`."""
    from lazycore.engine.networks.programs import random_quadratic

    seed, p, bend = values["init_seed"], values["weights"], values["bend"]
    return random_quadratic(seed, k, p, bend, LARGEST_SINGULAR_VALUE)
