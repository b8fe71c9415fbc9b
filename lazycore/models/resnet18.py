"""ResNet-18 without batch normalisation (He et al. 2016, arXiv:1512.03385): [2, 2, 2, 2] blocks."""

from lazycore.config.spec import Spec, Values
from lazycore.engine.networks.conv_layers import Layer
from lazycore.models import _conv

STAGES = ((64, 2, 1), (128, 2, 2), (256, 2, 2), (512, 2, 2))
"""Channels, blocks and the stride of the first block."""


def _plan(values: Values, k: int) -> tuple[Layer, ...]:
    return _conv.residual(values, STAGES, k)


SPEC = Spec(
    name="resnet18",
    meaning="ResNet-18 without batch normalisation: eight residual blocks, biased convolutions",
    reads=_conv.READS,
    defaults=_conv.TRAINED_AS | {"step_size": 0.05, "steps": 5, "n_train": 50, "n_test": 20},
    check=_conv.check,
    facts=_conv.facts(_plan),
)


def build(values: Values, d: int, k: int):
    """Return the network for the images of the task and k outputs."""
    from lazycore.engine.networks.convolutional import build_convolutional

    return build_convolutional(_plan(values, k), _conv.image(values), values["init_scale"])
