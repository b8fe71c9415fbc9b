"""The convolutional network of Geiger, Spigler, Jacot & Wyart (2020, arXiv:1906.08034)."""

from dataclasses import replace
from math import prod

from lazycore.config.fields import ACTIVATION, ACTIVATION_GAIN, INIT_SCALE, WIDTH, ZERO_OUTPUT
from lazycore.config.spec import Spec, Values
from lazycore.errors import ConfigError
from lazycore.models import _conv

KERNEL, STRIDES = 5, (2, 1, 2, 1)
SMALLEST = 19
"""Pixels along a side of which something is left after four convolutions."""


def _check(values: Values) -> None:
    _conv.check(values)
    _, height, width = _conv.image(values)
    if min(height, width) < SMALLEST:
        raise ConfigError(
            f"task={values['task']} has images of {height} × {width}, of which four convolutions "
            f"leave nothing: give images of at least {SMALLEST} × {SMALLEST} (fashion_mnist)."
        )


def _maps(values: Values) -> list[tuple[int, int, int]]:
    """Return inputs, height and width of the output of every convolution."""
    inputs, height, width = _conv.image(values)
    found = []
    for stride in STRIDES:
        height, width = ((side + 2 - KERNEL) // stride + 1 for side in (height, width))
        found.append((inputs, height, width))
        inputs = values["width"]
    return found


def _parameters(values: Values, d: int, k: int) -> int:
    channels = values["width"]
    return channels * (KERNEL**2 * sum(inputs for inputs, _, _ in _maps(values)) + k)


def _operations(values: Values, d: int, k: int) -> int:
    channels = values["width"]
    return channels * (KERNEL**2 * sum(prod(sizes) for sizes in _maps(values)) + k)


def _units(values: Values, d: int, k: int) -> int:
    return values["width"] * sum(height * width for _, height, width in _maps(values))


SPEC = Spec(
    name="strided_cnn",
    meaning="four convolutions of 5 × 5 with h channels, strides for pools, then the mean",
    reads=(
        *(ACTIVATION, ACTIVATION_GAIN, INIT_SCALE, ZERO_OUTPUT),
        replace(WIDTH, default=16, meaning="channels h of every convolution"),
    ),
    check=_check,
    facts={"parameters": _parameters, "operations": _operations, "units": _units},
)


def build(values: Values, d: int, k: int):
    """Return the network for the images of the task and k outputs."""
    from lazycore.engine.networks.strided import build_strided

    return build_strided(values, _conv.image(values), k)
