"""What the convolutional models share that needs no torch: fields, checks, layers in a row.

Weights are Xavier-normal, biases start at 0, and there is no batch normalisation: the networks
of Chizat, Oyallon & Bach (2019, arXiv:1812.07956, §3.2 and Appendix C).
"""

from collections.abc import Callable, Sequence
from typing import Any

from lazycore.config import spec
from lazycore.config.fields import INIT_SCALE, WIDTH_MULTIPLIER, ZERO_OUTPUT
from lazycore.config.spec import Values
from lazycore.engine.networks.conv_layers import Conv, Dense, Layer, Mean, Pool, Residual
from lazycore.errors import ConfigError

POOL = 0
"""A 2 × 2 max pool in a list of channels."""

READS = (WIDTH_MULTIPLIER, INIT_SCALE, ZERO_OUTPUT)

TRAINED_AS = {
    "dynamics": "sgd",
    "labels": "ten",
    "momentum": 0.9,
    "schedule": "inverse_time",
}
"""How the paper trains them, and what they prefer where nothing else is said."""


Plan = Callable[[Values, int], tuple[Layer, ...]]
"""(values, outputs k) → the layers."""


def image(values: Values) -> tuple[int, int, int]:
    """Return channels, height and width of the task's images; `ConfigError` if it has none."""
    facts = spec.find("task", values["task"]).SPEC.facts
    if "image" not in facts:
        tasks = [n for n, file in spec.collect("task").items() if "image" in file.SPEC.facts]
        raise ConfigError(
            f"model={values['model']} takes images, which task={values['task']} does not have: "
            f"give task={' or '.join(tasks)}."
        )
    if values.get("pca"):
        raise ConfigError(
            f"pca={values['pca']} leaves no images, which model={values['model']} takes: "
            "leave pca out."
        )
    return facts["image"](values)


def check(values: Values) -> None:
    """Raise `ConfigError` for a task without images, and for paired copies."""
    image(values)
    if values["zero_output"] == "symmetrized":
        raise ConfigError(
            f"zero_output=symmetrized is not made for model={values['model']}: "
            "give centered or none."
        )


def channels(values: Values, count: int) -> int:
    """Return so many channels times the width multiplier, at least one."""
    return max(1, round(count * values["width_multiplier"]))


def plain(values: Values, counts: Sequence[int], k: int) -> tuple[Layer, ...]:
    """Return 3 × 3 convolutions of these channels with pools between them, and the output layer.

    A pool is left out where the map is one pixel wide already.
    """
    inputs, height, width = image(values)
    layers: list[Layer] = []
    for count in counts:
        if count != POOL:
            outputs = channels(values, count)
            layers.append(Conv(inputs, outputs, 3, 1, height, width))
            inputs = outputs
        elif min(height, width) > 1:
            layers.append(Pool())
            height, width = height // 2, width // 2
    return (*layers, Dense(inputs * height * width, k))


def residual(values: Values, stages: Sequence[tuple[int, int, int]], k: int) -> tuple[Layer, ...]:
    """Return a stem, stages of (channels, blocks, stride), the mean and the output layer."""
    first, height, width = image(values)
    stem = Conv(first, channels(values, stages[0][0]), 3, 1, height, width)
    layers: list[Layer] = [stem]
    inputs = stem.outputs
    for count, blocks, stride in stages:
        outputs = channels(values, count)
        for number in range(blocks):
            step = stride if number == 0 else 1
            height, width = -(-height // step), -(-width // step)
            same = step == 1 and inputs == outputs
            layers.append(
                Residual(
                    Conv(inputs, outputs, 3, step, height, width),
                    Conv(outputs, outputs, 3, 1, height, width),
                    None if same else Conv(inputs, outputs, 1, step, height, width),
                )
            )
            inputs = outputs
    return (*layers, Mean(), Dense(inputs, k))


def facts(plan: Plan) -> dict[str, Any]:
    """Return what the model's `SPEC` says of its counts."""

    def count(name: str) -> Callable[[Values, int, int], int]:
        return lambda values, d, k: sum(getattr(layer, name) for layer in plan(values, k))

    return {name: count(name) for name in ("parameters", "operations", "units")}
