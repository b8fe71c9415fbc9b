"""What it takes to form a tangent kernel, and on how many points that is worth it."""

from torch import Tensor

from lazycore.config.cost import KERNEL_WORK
from lazycore.engine.features.features import Features
from lazycore.engine.features.layers import Layer, Layered
from lazycore.engine.features.linearize import Joined
from lazycore.engine.networks.module_network import ModuleNetwork
from lazycore.engine.networks.network import Network
from lazycore.engine.networks.row_network import RowNetwork

MOST_ROWS = 1000
"""Rows of a Jacobian that are formed, each by a backward pass, whenever a kernel is measured."""

PROBED = 8
"""Points whose features say what those of more points will take."""


def pair_work(features: Features) -> float:
    """Return the multiply-adds of Θ per pair of points, as far as they are predicted."""
    if isinstance(features, Layered):
        return sum(pair_work(part) for part in features.parts)
    if isinstance(features, Joined):
        return pair_work(features.first) + pair_work(features.second)
    if isinstance(features, Layer):
        return min(features.costs())
    _, k, p = features.shape
    return float(k * k * p)


def is_dear(network: Network) -> bool:
    """Whether a kernel takes longer than to train: of the deep networks of convolutions."""
    return isinstance(network, ModuleNetwork) and network.at_once is not None


def affordable_points(network: Network, w0: Tensor, x: Tensor, most: int) -> int:
    """Return on how many of the first points of x the kernel is measured, at most `most`.

    As many as there may be in general; of the deep networks of convolutions built here, which
    see many positions and have many weights, only so many as `KERNEL_WORK` allows; of modules
    whose Jacobian takes a backward pass for each row, such as have `MOST_ROWS` outputs.
    """
    if isinstance(network, RowNetwork) and not network.structured and len(x) > PROBED:
        few = network.features(w0, x[:PROBED])
        rows = len(x) if isinstance(few, Layered) else MOST_ROWS // few.shape[1]
        return max(1, min(len(x), most, rows))
    if not is_dear(network):
        return min(len(x), most)
    work = pair_work(network.features(w0, x[:PROBED]))
    return max(1, min(len(x), most, int((KERNEL_WORK / work) ** 0.5)))
