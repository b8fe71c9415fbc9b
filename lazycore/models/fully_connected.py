"""A fully connected network of any depth."""

from lazycore.config.fields import DEPTH, NETWORK
from lazycore.config.spec import Spec, Values
from lazycore.models import _layers


def _parameters(values: Values, d: int, k: int) -> int:
    return _layers.parameters(values, values["depth"], d, k)


SPEC = Spec(
    name="fully_connected",
    meaning="hidden layers of one width, as many as the depth says",
    reads=(DEPTH, *NETWORK),
    check=_layers.even_width,
    facts={
        "parameters": _parameters,
        "operations": _parameters,
        "stacked": True,
        "linear_layers": lambda values: values["depth"] + 1,
    },
)


def build(values: Values, d: int, k: int):
    """Return the network of `depth` hidden layers for d inputs and k outputs."""
    from lazycore.engine.networks.dense import build_dense

    return build_dense(values, hidden=values["depth"], d=d, k=k)
