r"""h(w)(i, j) = c Σ_r u_ir v_jr: a matrix as the product of two factors, not a network at all.

Trained on some entries of a matrix; lazily it fits them by its tangent features, u_i and v_j
at the start, and learns little of the others, where rich training from small factors finds
matrices of low rank (S. Arora et al. 2019, arXiv:1905.13655). That the lazy regime is of any
model with a scale, this one included, is the point of Chizat, Oyallon & Bach (2019,
arXiv:1812.07956, §2).
"""

from dataclasses import replace
from math import sqrt

from lazycore.config.fields import INIT_SCALE, SCALING, WIDTH, ZERO_OUTPUT
from lazycore.config.spec import Spec, Values
from lazycore.errors import ConfigError
from lazycore.models import _layers

RANK = replace(WIDTH, default=10, meaning="rank m of the factorisation")


def _check(values: Values) -> None:
    if values["task"] != "matrix_completion":
        raise ConfigError(
            f"model=matrix_factorization has entries of a matrix for inputs, which "
            f"task={values['task']} does not have: give task=matrix_completion."
        )
    _layers.even_width(values)


SPEC = Spec(
    name="matrix_factorization",
    meaning="a matrix as a product of two factors: Σ u v, no network",
    reads=(RANK, INIT_SCALE, SCALING, ZERO_OUTPUT),
    check=_check,
    facts={
        "parameters": lambda values, d, k: values["width"] * d * k,
        "operations": lambda values, d, k: values["width"] * d * k,
    },
)


def build(values: Values, d: int, k: int):
    """Return the product of a (d/2, m) and an (m, d/2) matrix; x holds two unit vectors.

    The factor c is 1 for `plain`, 1/√m for `ntk`, 1/m for `mean_field`. In L²(ρ̂) over n
    different entries ‖D²h‖ = c/√n at every w, for Σ_ij |a_i·b_j|² ≤ ‖a‖²‖b‖² ≤ ¼ when
    ‖a‖² + ‖b‖² = 1, which a direction of one entry alone attains.
    """
    from lazycore.engine.networks.function_network import FunctionNetwork
    from lazycore.engine.networks.network import Block
    from lazycore.engine.networks.symmetrized import Symmetrized

    symmetrized, m = values["zero_output"] == "symmetrized", values["width"]
    c = {"plain": 1.0, "ntk": 1.0 / sqrt(m), "mean_field": 1.0 / m}[values["scaling"]]
    size, rank = d // 2, m // 2 if symmetrized else m
    entries = size * rank

    def product(w, x):
        u, v = w[:entries].view(size, rank), w[entries:].view(size, rank)
        return c * ((x[:, :size] @ u) * (x[:, size:] @ v)).sum(1, keepdim=True)

    network = FunctionNetwork(
        function=product,
        parts=(
            Block("row factors", (size, rank), 0),
            Block("column factors", (size, rank), entries),
        ),
        draw=lambda rng: values["init_scale"] * rng.standard_normal(2 * entries),
        bend=lambda x: c / sqrt(len(x)),
    )
    return Symmetrized(network) if symmetrized else network
