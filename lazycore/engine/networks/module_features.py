"""Tangent features of any torch module, from hooks on one forward and k backward passes.

A `Linear` or `Conv2d` is linear in its weights: what it saw and the signals that come back to
it are all that its features need (`lazycore.engine.features.layers`). Other parameters get columns
of their own. All this holds only where outputs depend on their own point alone and every layer is
used once, so the whole is checked against one reverse-mode product before it is believed.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lazycore.engine.features.differentiated import UNKNOWN
from lazycore.engine.features.features import Features
from lazycore.engine.features.layers import Layer, Layered
from lazycore.engine.features.linearize import Explicit
from lazycore.engine.networks.network import Block

LARGEST_FACTORS = 2**30
"""Bytes up to which the layers' inputs and signals, and columns of J, are kept."""

CHUNK = 64
"""Points whose columns are found at once."""

Function = Callable[[Tensor, Tensor], Tensor]
"""A network: weights (p,), points → outputs (n, k)."""


@dataclass(eq=False)
class Watched:
    """One layer, what it received and gave in a forward pass, and the signals (k of them)."""

    layer: nn.Linear | nn.Conv2d
    uses: int = 0
    input: Tensor | None = None
    output: Tensor | None = None
    signals: tuple[Tensor, ...] = ()

    def hook(self, _: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        """Keep input and output; a copy goes on, so that nothing changes them in place."""
        self.uses += 1
        self.input = inputs[0].detach() if len(inputs) == 1 else None
        self.output = output if output.requires_grad else output.detach().requires_grad_()
        return self.output.clone()

    def fits(self, n: int) -> bool:
        """Whether it was used once, on one tensor with the points along the first axis."""
        tensors = (self.input, self.output)
        axes = 4 if isinstance(self.layer, nn.Conv2d) else 2
        return self.uses == 1 and all(
            t is not None and t.ndim >= axes and len(t) == n and t.numel() for t in tensors
        )

    def bytes(self) -> int:
        """Bytes of A and D."""
        assert self.input is not None
        signals = sum(signal.numel() for signal in self.signals)
        inputs = self.input.numel()
        if isinstance(self.layer, nn.Conv2d):
            positions = signals // (len(self.signals) * len(self.input) * self.layer.out_channels)
            inputs = len(self.input) * positions * self.layer.weight[0].numel()
        return (inputs + signals) * self.input.element_size()

    def factors(self) -> tuple[Tensor, Tensor]:
        """Return A (n, P, in) and D (n, k, P, out)."""
        assert self.input is not None
        n, signals = len(self.input), torch.stack(self.signals, dim=1)
        if isinstance(self.layer, nn.Conv2d):
            signals = signals.flatten(3).transpose(2, 3).contiguous()
            return _patches(self.layer, self.input), signals
        layer = self.layer
        inputs = self.input.reshape(n, -1, layer.in_features)
        return inputs, signals.reshape(n, len(self.signals), -1, layer.out_features)


def layers_of(module: nn.Module) -> dict[str, nn.Linear | nn.Conv2d]:
    """Return the layers that are linear in weights which are theirs alone, by name."""
    owners: dict[int, int] = {}
    for _, parameter in module.named_parameters(remove_duplicate=False):
        owners[id(parameter)] = owners.get(id(parameter), 0) + 1
    return {
        name: layer
        for name, layer in module.named_modules()
        if (type(layer) is nn.Linear or (type(layer) is nn.Conv2d and _plain(layer)))
        and _has_its_weights(layer)
        and all(owners[id(parameter)] == 1 for parameter in layer.parameters())
    }


def layered_features(
    module: nn.Module, blocks: tuple[Block, ...], function: Function, w: Tensor, x: Tensor
) -> Layered | None:
    """Return the features of `function` at w by the layers of `module`, or None.

    None where no layer serves, where it would take more than `LARGEST_FACTORS` bytes, or
    where the check finds that it would be wrong: points that interact (batch statistics),
    layers whose weights are used in another way as well.

    Args:
        module: what `function` calls, with the blocks of w as its parameters.
        x: n points along the first axis.
    Cost: one forward and k + 1 backward passes, and for parameters that are in no such
    layer one backward pass per point and output.
    """
    w = w.detach()
    if _certainly_too_large(module, function, w, x):
        return None
    try:
        k, watched = _watch(layers_of(module), function, w, x)
    except UNKNOWN:
        return None  # what no hook may touch: checkpoints, transforms inside
    others = [b for b in blocks if _owner(b) not in watched]
    columns = len(x) * k * sum(prod(b.shape) for b in others) * w.element_size()
    if len(others) == len(blocks) or columns > LARGEST_FACTORS:
        return None
    if columns + sum(seen.bytes() for seen in watched.values()) > LARGEST_FACTORS:
        return None
    found = _columns(function, blocks, others, w, x) if others else {}
    if found is None:
        return None
    parts = dict(_parts(blocks, {name: seen.factors() for name, seen in watched.items()}, found))
    features = Layered(tuple(parts.values()), tuple(parts))
    return features if _agrees(features, function, w, x) else None


def _certainly_too_large(module: nn.Module, function: Function, w: Tensor, x: Tensor) -> bool:
    """Whether inputs and signals of so many points would not fit, judged by those of two.

    False where two alone cannot be passed: then all of them are, and judged.
    """
    if len(x) <= 4:
        return False
    try:
        _, watched = _watch(layers_of(module), function, w, x[:2])
    except (*UNKNOWN, IndexError):
        return False
    return len(x) // 2 * sum(seen.bytes() for seen in watched.values()) > LARGEST_FACTORS


def _owner(block: Block) -> str:
    return block.layer.rpartition(".")[0]


def _watch(
    layers: dict[str, nn.Linear | nn.Conv2d], function: Function, w: Tensor, x: Tensor
) -> tuple[int, dict[str, Watched]]:
    """Return k, and by name those of these layers whose inputs and signals are as they must be."""
    watched = {name: Watched(layer) for name, layer in layers.items()}
    handles = [seen.layer.register_forward_hook(seen.hook) for seen in watched.values()]
    try:
        with torch.enable_grad():
            h = function(w, x)
            totals = h.sum(0).unbind()
    finally:
        for handle in handles:
            handle.remove()
    n, k = h.shape
    fit = {name: seen for name, seen in watched.items() if seen.fits(n)}
    if not fit or not h.requires_grad:
        return k, {}
    outputs = [seen.output for seen in fit.values() if seen.output is not None]
    for total in totals:
        signals = torch.autograd.grad(
            total, outputs, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        for seen, signal in zip(fit.values(), signals, strict=True):
            seen.signals += (signal,)
    return k, fit


def _parts(
    blocks: tuple[Block, ...],
    factors: dict[str, tuple[Tensor, Tensor]],
    columns: dict[str, Tensor],
) -> Iterator[tuple[str, Features]]:
    """Yield features by name in the order of the blocks: weights take their biases along."""
    names = [block.layer for block in blocks]
    taken = False
    for name, following, block in zip(names, [*names[1:], ""], blocks, strict=True):
        owner = _owner(block)
        if taken:
            taken = False
        elif owner not in factors:
            yield name, Explicit(columns[name])
        elif name.endswith("bias"):
            signals = factors[owner][1].sum(2, keepdim=True)
            yield name, Layer(signals.new_ones((len(signals), 1, 1)), signals)
        else:
            taken = following == name.removesuffix("weight") + "bias"
            yield (owner if taken and owner else name), Layer(*factors[owner], bias=taken)


def _columns(
    function: Function, blocks: tuple[Block, ...], others: list[Block], w: Tensor, x: Tensor
) -> dict[str, Tensor] | None:
    """Return J's columns (n, k, ·) of the other blocks, point by point; None where that fails."""
    sizes = [prod(block.shape) for block in others]

    def output(part: Tensor, point: Tensor) -> Tensor:
        own = dict(zip((b.start for b in others), part.split(sizes), strict=True))
        whole = torch.cat([own.get(b.start, w[b.slice]) for b in blocks])
        return function(whole, point[None])[0]

    start = torch.cat([w[block.slice] for block in others])
    row = torch.func.vmap(torch.func.jacrev(output), in_dims=(None, 0), chunk_size=CHUNK)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of slow batching rules
            jacobian = row(start, x)
    except (*UNKNOWN, IndexError):
        return None  # what cannot be mapped over points (batch statistics, branches on data)
    pieces = jacobian.detach().split(sizes, dim=2)
    return {block.layer: piece for block, piece in zip(others, pieces, strict=True)}


def _agrees(features: Layered, function: Function, w: Tensor, x: Tensor) -> bool:
    """Whether Jᵀ r is that of reverse-mode differentiation, part by part, for a random r."""
    n, k, _ = features.shape
    r = torch.as_tensor(np.random.default_rng(0).standard_normal((n, k))).to(w)
    at = w.detach().requires_grad_()
    with torch.enable_grad():
        expected = torch.autograd.grad(function(at, x), at, grad_outputs=r)[0]
    sizes = [part.shape[2] for part in features.parts]
    pairs = zip(features.adjoint(r).split(sizes), expected.split(sizes), strict=True)
    # A part's gradient may vanish by symmetry: then it counts in units of the whole.
    rounding, whole = torch.finfo(w.dtype).eps ** 0.6, 1e-3 * expected.norm()
    return all(bool((a - b).norm() <= rounding * (b.norm() + whole)) for a, b in pairs)


def _has_its_weights(layer: nn.Module) -> bool:
    """Whether the layer's parameters are its weights: not what weights are made of."""
    own = {name for name, parameter in layer._parameters.items() if parameter is not None}
    return own in ({"weight"}, {"weight", "bias"}, {"bias"}) and isinstance(layer.weight, Tensor)


def _plain(layer: nn.Conv2d) -> bool:
    return layer.groups == 1 and layer.padding_mode == "zeros"


def _patches(layer: nn.Conv2d, images: Tensor) -> Tensor:
    """Return what the layer multiplies its weights with at every position, (n, P, in·kh·kw)."""
    sides = []
    for axis, (kernel, dilation) in enumerate(zip(layer.kernel_size, layer.dilation, strict=True)):
        if layer.padding == "same":
            total = dilation * (kernel - 1)
            sides.insert(0, (total // 2, total - total // 2))
        else:
            side = 0 if layer.padding == "valid" else int(layer.padding[axis])
            sides.insert(0, (side, side))
    padded = F.pad(images, [width for side in sides for width in side])
    unfolded = F.unfold(padded, layer.kernel_size, dilation=layer.dilation, stride=layer.stride)
    return unfolded.transpose(1, 2).contiguous()
