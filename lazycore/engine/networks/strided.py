"""The convolutional network of Geiger, Spigler, Jacot & Wyart (2020), as a torch module.

    z_l = (W_l ∗ a_{l−1})/√(25 c_{l−1}),   a_l = s σ(z_l),   h = Σ_c w_c ⟨a_L⟩_c/√h

Four convolutions of 5 × 5 with padding 1 and h channels each, the first and the third with stride
2; ⟨·⟩ is the mean over the map. All weights are N(0, τ²); there are no biases.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from lazycore.config import spec
from lazycore.config.spec import Values
from lazycore.engine.networks.dense import unit_gain
from lazycore.engine.networks.module_network import ModuleNetwork
from lazycore.engine.networks.network import Block

KERNEL, PADDING, STRIDES = 5, 1, (2, 1, 2, 1)


class Scaled(nn.Module):
    """a → c a."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, a: Tensor) -> Tensor:
        """Return c a."""
        return self.factor * a


class Activation(nn.Module):
    """z → s σ(z), σ of a file in `lazycore.activations`."""

    def __init__(self, values: Values) -> None:
        super().__init__()
        self.file, self.values = spec.find("activation", values["activation"]), values
        unit = values["activation_gain"] == "unit"
        self.scale = unit_gain(self.file, values) if unit else 1.0

    def forward(self, z: Tensor) -> Tensor:
        """Return s σ(z)."""
        return self.scale * self.file.sigma(z, self.values)


@dataclass(frozen=True)
class Normal:
    """Weights N(0, τ²)."""

    init_scale: float

    def __call__(self, blocks: Sequence[Block], rng: np.random.Generator) -> np.ndarray:
        """Return the initial weights (p,) of a network with these blocks."""
        count = sum(math.prod(block.shape) for block in blocks)
        return self.init_scale * rng.standard_normal(count)


def build_strided(values: Values, image: tuple[int, int, int], k: int) -> ModuleNetwork:
    """Return the network of these resolved fields for flat images and k outputs."""
    channels, inputs = values["width"], image[0]
    parts: OrderedDict[str, nn.Module] = OrderedDict(image=nn.Unflatten(1, image))
    for number, stride in enumerate(STRIDES, start=1):
        parts[f"layer {number}"] = nn.Conv2d(
            inputs, channels, KERNEL, stride, PADDING, bias=False, device="meta"
        )
        parts[f"scale {number}"] = Scaled((inputs * KERNEL**2) ** -0.5)
        parts[f"sigma {number}"] = Activation(values)
        inputs = channels
    parts |= {"mean": nn.AdaptiveAvgPool2d(1), "flat": nn.Flatten()}
    parts["output"] = nn.Linear(channels, k, bias=False, device="meta")
    parts["scale"] = Scaled(channels**-0.5)
    smooth = spec.find("activation", values["activation"]).SPEC.facts["smooth"]
    return ModuleNetwork(nn.Sequential(parts), smooth=smooth, draw=Normal(values["init_scale"]))
