"""A small convolutional network that a CPU trains in seconds: 16, 32 and 64 channels."""

from lazycore.config.spec import Spec, Values
from lazycore.engine.networks.conv_layers import Layer
from lazycore.models import _conv
from lazycore.models._conv import POOL

CHANNELS = (16, POOL, 32, POOL, 64, POOL)


def _plan(values: Values, k: int) -> tuple[Layer, ...]:
    return _conv.plain(values, CHANNELS, k)


SPEC = Spec(
    name="cnn",
    meaning="small convolutional network: 16, 32, 64 channels of 3 × 3, ReLU, max pools",
    reads=_conv.READS,
    defaults=_conv.TRAINED_AS | {"step_size": 0.03, "steps": 200},
    check=_conv.check,
    facts=_conv.facts(_plan),
)


def build(values: Values, d: int, k: int):
    """Return the network for the images of the task and k outputs."""
    from lazycore.engine.networks.convolutional import build_convolutional

    return build_convolutional(_plan(values, k), _conv.image(values), values["init_scale"])
