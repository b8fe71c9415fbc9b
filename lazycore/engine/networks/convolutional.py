"""Convolutional networks as torch modules, built from their layers as plain data."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from lazycore.engine.networks.conv_layers import Conv, Layer, Mean, Pool, Residual
from lazycore.engine.networks.module_network import ModuleNetwork
from lazycore.engine.networks.network import Block

LARGEST_PASS = 2**25
"""Hidden units, at most, of the points that are passed at once."""


class ResidualBlock(nn.Module):
    """ReLU(second(ReLU(first(a))) + shortcut(a))."""

    def __init__(self, layer: Residual) -> None:
        super().__init__()
        self.first, self.second = _convolution(layer.first), _convolution(layer.second)
        self.shortcut = _convolution(layer.shortcut) if layer.shortcut else nn.Identity()
        self.inner, self.outer = nn.ReLU(), nn.ReLU()

    def forward(self, a: Tensor) -> Tensor:
        """Return the block's output, (n, channels, height, width)."""
        return self.outer(self.second(self.inner(self.first(a))) + self.shortcut(a))


@dataclass(frozen=True)
class XavierNormal:
    """Weights N(0, 2 τ²/(fan-in + fan-out)) (Glorot & Bengio 2010), biases 0."""

    init_scale: float

    def __call__(self, blocks: Sequence[Block], rng: np.random.Generator) -> np.ndarray:
        """Return the initial weights (p,) of a network with these blocks."""
        parts = []
        for block in blocks:
            if block.layer.endswith("bias"):
                parts.append(np.zeros(math.prod(block.shape)))
                continue
            area = math.prod(block.shape[2:])
            deviation = math.sqrt(2.0 / (area * (block.shape[0] + block.shape[1])))
            parts.append(self.init_scale * deviation * rng.standard_normal(block.shape).ravel())
        return np.concatenate(parts)


def build_convolutional(
    layers: Sequence[Layer], image: tuple[int, int, int], init_scale: float
) -> ModuleNetwork:
    """Return the network of these layers for flat images (n, channels · height · width).

    Its modules hold no numbers: weights come as the vector w, and are drawn by `initial`.
    """
    parts: OrderedDict[str, nn.Module] = OrderedDict(image=nn.Unflatten(1, image))
    for layer in layers:
        parts |= _modules(layer, 1 + sum(name.startswith("layer") for name in parts))
    module = nn.Sequential(parts)
    units = sum(layer.units for layer in layers)
    return ModuleNetwork(
        module, at_once=max(1, LARGEST_PASS // units), draw=XavierNormal(init_scale)
    )


def _modules(layer: Layer, number: int) -> dict[str, nn.Module]:
    """Return the modules of one layer by names that no other has."""
    if isinstance(layer, Conv):
        return {f"layer {number}": _convolution(layer), f"relu {number}": nn.ReLU()}
    if isinstance(layer, Residual):
        return {f"layer {number}": ResidualBlock(layer)}
    if isinstance(layer, Pool):
        return {f"pool {number - 1}": nn.MaxPool2d(2)}
    if isinstance(layer, Mean):
        return {"mean": nn.AdaptiveAvgPool2d(1)}
    dense = nn.Linear(layer.inputs, layer.outputs, device="meta")
    return {"flat": nn.Flatten(), "output": dense}


def _convolution(layer: Conv) -> nn.Conv2d:
    return nn.Conv2d(
        layer.inputs,
        layer.outputs,
        layer.kernel,
        stride=layer.stride,
        padding=layer.kernel // 2,
        device="meta",
    )
