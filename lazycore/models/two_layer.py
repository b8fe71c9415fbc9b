"""h(w, x) = c Σ_j a_j σ(b_j · x), the model of Chizat, Oyallon & Bach (arXiv:1812.07956, §3.1)."""

from lazycore.config.fields import NETWORK
from lazycore.config.spec import Spec, Values
from lazycore.models import _layers


def _parameters(values: Values, d: int, k: int) -> int:
    return _layers.parameters(values, 1, d, k)


SPEC = Spec(
    name="two_layer",
    meaning="one hidden layer: Σ a σ(b · x)",
    reads=NETWORK,
    check=_layers.even_width,
    facts={
        "parameters": _parameters,
        "operations": _parameters,
        "stacked": True,
        "linear_layers": lambda values: 2,
    },
)


def build(values: Values, d: int, k: int):
    """Return the network of one hidden layer for d inputs and k outputs."""
    from lazycore.engine.networks.dense import build_dense

    return build_dense(values, hidden=1, d=d, k=k)
