"""VGG-11 without batch normalisation (Simonyan & Zisserman 2015, arXiv:1409.1556)."""

from lazycore.config.spec import Spec, Values
from lazycore.engine.networks.conv_layers import Layer
from lazycore.models import _conv
from lazycore.models._conv import POOL

CHANNELS = (64, POOL, 128, POOL, 256, 256, POOL, 512, 512, POOL, 512, 512, POOL)


def _plan(values: Values, k: int) -> tuple[Layer, ...]:
    return _conv.plain(values, CHANNELS, k)


SPEC = Spec(
    name="vgg11",
    meaning="VGG-11 without batch normalisation: eight convolutions of 64 to 512 channels",
    reads=_conv.READS,
    defaults=_conv.TRAINED_AS | {"step_size": 1.0, "steps": 20, "n_test": 50},
    check=_conv.check,
    facts=_conv.facts(_plan),
)


def build(values: Values, d: int, k: int):
    """Return the network for the images of the task and k outputs."""
    from lazycore.engine.networks.convolutional import build_convolutional

    return build_convolutional(_plan(values, k), _conv.image(values), values["init_scale"])
