r"""Tangent features of layers that are linear in their weights, without their Jacobian.

A layer multiplies its weights (out, in) with what it sees at each of P positions: P = 1 for
a dense layer, the image's patches for a convolution. With inputs A_ip and the signals
D_icp = ∂h_c(x_i)/∂z_ip that reach its outputs z_ip = W A_ip + b,

    J_ic = Σ_p D_icp ⊗ A_ip        Θ_ic,je = Σ_pq (A_ip · A_jq + 1)(D_icp · D_jeq)

(the 1 with biases). The kernel is formed either way, whichever is predicted to be cheaper:
contracting both Gram matrices, or multiplying rows of J that are formed a few output
channels at a time. Novak, Sohl-Dickstein & Schoenholz (2022, arXiv:2206.08720) compare them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lazycore.engine.features.features import Features, add_rows, each_adjoint, four_axes
from lazycore.engine.features.gram import LIMIT, TILE, add_products, tiles
from lazycore.machine.blas import arrays, product
from lazycore.machine.once import once

TOUCH = 12.0
"""Multiply-adds of a large product in the time in which one number is read, changed and written."""

COLUMNS = 2048
"""Columns of J formed at once: enough that adding up the result's tiles costs little."""


@dataclass(frozen=True)
class Layer:
    """Features of one layer's weights (out, in), row by row, then of its biases if it has any.

    inputs: A (n, P, in). signals: D (n, k, P, out).
    Cost: `apply` and `adjoint` n·P·in·out multiply-adds and n·k·P·out more.
    """

    inputs: Tensor
    signals: Tensor
    bias: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """n, k and the number of the layer's parameters."""
        n, k, _, out = self.signals.shape
        return n, k, out * (self.inputs.shape[2] + self.bias)

    @property
    def like(self) -> Tensor:
        """Any tensor of the dtype, and on the device, of J."""
        return self.inputs

    @property
    def nbytes(self) -> int:
        """Bytes of both factors."""
        return self.inputs.nbytes + self.signals.nbytes

    def apply(self, v: Tensor) -> Tensor:
        """Return Σ_p D_p · (V A_p + b), (n, k)."""
        (n, k, _, out), fan_in = self.signals.shape, self.inputs.shape[2]
        z = product(self.inputs, v[: out * fan_in].view(out, fan_in).T)
        if self.bias:
            z = z + v[out * fan_in :]
        return (self.signals.reshape(n, k, -1) @ z.reshape(n, -1, 1))[:, :, 0]

    def adjoint(self, r: Tensor) -> Tensor:
        """Return Σ_ip (r_i · D_ip) ⊗ A_ip, flat; of several r by one product if P = 1."""
        n, k, positions, out = self.signals.shape
        if r.ndim > 2 and positions > 1:  # what several pull back would fill the memory
            return each_adjoint(self, r)
        if k * positions == 1:
            pulled = r.mT * self.signals.view(n, out).T
        elif r.ndim == 2:
            pulled = (r[:, None] @ self.signals.reshape(n, k, -1)).view(n * positions, out).T
        else:
            pulled = r.flatten(0, -3).movedim(0, 1) @ self.signals[:, :, 0]
            pulled = pulled.permute(1, 2, 0).unflatten(0, r.shape[:-2])
        weights = product(pulled, self.inputs.reshape(n * positions, -1)).flatten(-2)
        return torch.cat([weights, pulled.sum(-1)], dim=-1) if self.bias else weights

    def matrix(self) -> Tensor:
        """Return J, (n, k, parameters)."""
        rows = self._rows(0, self.signals.shape[3])
        return torch.cat([rows, self.signals.sum(2)], dim=2) if self.bias else rows

    def select(self, batch: Tensor) -> "Layer":
        """Return the features of the points with these indices."""
        return Layer(self.inputs[batch], self.signals[batch], self.bias)

    def kernel(self, other: Features | None = None) -> Tensor:
        """Return J J'ᵀ."""
        return four_axes(self, other)

    def add_kernel(self, total: Tensor, other: Features | None, limit: int = LIMIT) -> None:
        """Add J J'ᵀ, or J Jᵀ to the upper tiles, in the way that is predicted to be cheaper."""
        if other is not None and not isinstance(other, Layer):
            add_rows(total, self, other, limit)
            return
        gram, rows = self.costs(other)
        form = self.contract_grams if gram <= rows else self.multiply_rows
        form(total, other, limit)

    def costs(self, other: "Layer | None" = None) -> tuple[float, float]:
        """Return multiply-adds per pair of points of both ways: Gram matrices, rows of J."""
        (n, k, positions, out), fan_in = self.signals.shape, self.inputs.shape[2]
        second = n if other is None else other.shape[0]
        pairs = positions**2 * (fan_in + k**2 * out + TOUCH * (1 + 2 * k**2))
        parameters = k * out * (fan_in + self.bias)
        passes = 1 + out * fan_in // COLUMNS + self.bias
        rows = k * parameters + TOUCH * k**2 * passes
        forming = parameters * (positions + TOUCH) * (1 / second + (other is not None) / n)
        return pairs, rows + forming

    def contract_grams(self, total: Tensor, other: "Layer | None", limit: int = LIMIT) -> None:
        """Add Σ_pq (A_ip·A_jq + 1)(D_icp·D_jeq), tile by tile."""
        second = self if other is None else other
        n, k, positions, out = self.signals.shape
        size = total.element_size() * (positions**2) * (1 + k**2)
        side = max(1, min(TILE // (k * positions), int((limit / size) ** 0.5)))
        flat = (t.reshape(len(t) * t.shape[1], -1) for t in (self.inputs, second.inputs))
        signals = (t.reshape(-1, out) for t in (self.signals, second.signals))
        result, a, a2, d, d2 = arrays(total, *flat, *signals)
        p = positions
        for r, c in tiles(n, None if other is None else second.shape[0], side):
            height, width = r.stop - r.start, c.stop - c.start
            pair = d[_times(r, k * p)] @ d2[_times(c, k * p)].T
            inputs = a[_times(r, p)] @ a2[_times(c, p)].T
            if self.bias:
                inputs += 1.0
            if k * p > 1:
                pair = pair.reshape(height, k, p, width, k, p)
                pair *= inputs.reshape(height, 1, p, width, 1, p)
                pair = (pair.sum((2, 5)) if p > 1 else pair).reshape(height * k, width * k)
            else:
                pair *= inputs
            tile = result[_times(r, k), _times(c, k)]
            tile += pair

    def multiply_rows(self, total: Tensor, other: "Layer | None", limit: int = LIMIT) -> None:
        """Add J J'ᵀ, summed over blocks of the columns of J."""
        count = self.shape[0] + (0 if other is None else other.shape[0])
        column = 2 * count * self.signals.shape[1] * self.inputs.shape[2] * total.element_size()
        (result,) = arrays(total)
        first, second = (None if l is None else l._blocks(limit // column) for l in (self, other))
        assert first is not None
        for block in first:
            others = None if second is None else next(second)
            rows = arrays(block.flatten(0, 1), *([] if others is None else [others.flatten(0, 1)]))
            add_products(result, rows[0], None if others is None else rows[1])

    def _blocks(self, channels: int) -> Iterator[Tensor]:
        """Yield the columns of J of at most so many output channels, then those of the biases."""
        out, fan_in = self.signals.shape[3], self.inputs.shape[2]
        channels = max(1, min(channels, COLUMNS // fan_in))
        for start in range(0, out, channels):
            yield self._rows(start, min(start + channels, out))
        if self.bias:
            yield self.signals.sum(2)

    def _rows(self, start: int, stop: int) -> Tensor:
        """Return the columns of J of these output channels' weights, (n, k, ·)."""
        n, k, positions, _ = self.signals.shape
        signals = self.signals[..., start:stop].transpose(2, 3)
        if positions == 1:
            return (signals * self.inputs[:, None]).flatten(2)
        return (signals.reshape(n, -1, positions) @ self.inputs).view(n, k, -1)


@dataclass(frozen=True)
class Layered:
    """Features of layers that are linear in their weights, side by side.

    The derivative of output c at point i with respect to a weight matrix W_l is the outer
    product of a backpropagated signal D_l[i, c] and an activation A_l[i]. So

        Θ = Σ_l (A_l A_lᵀ) ∘ (D_l D_lᵀ)

    and no Jacobian is ever formed (`lazycore.engine.features.layers`, also for layers with many
    positions).

    factors: per layer A (n, in) and D (n, k, out), or features of its own, in the order of
    the flat vector. names: one per layer.
    Cost: `apply` and `adjoint` n·p multiply-adds, `kernel` n²(in + k² out) per layer.
    """

    factors: tuple[tuple[Tensor, Tensor] | Features, ...]
    names: tuple[str, ...] | None = None

    @once
    def parts(self) -> tuple[Features, ...]:
        """The features of every layer by itself."""
        return tuple(
            Layer(part[0][:, None], part[1][:, :, None]) if isinstance(part, tuple) else part
            for part in self.factors
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """n, k and p."""
        n, k, _ = self.parts[0].shape
        return n, k, sum(self._sizes)

    @property
    def like(self) -> Tensor:
        """Any tensor of the dtype, and on the device, of J."""
        return self.parts[0].like

    @once
    def _sizes(self) -> list[int]:
        return [part.shape[2] for part in self.parts]

    def apply(self, v: Tensor) -> Tensor:
        """Return Σ_l J_l v_l."""
        pieces = zip(self.parts, v.split(self._sizes), strict=True)
        products = [part.apply(piece) for part, piece in pieces]
        return torch.stack(products).sum(0) if len(products) > 1 else products[0]

    def adjoint(self, r: Tensor) -> Tensor:
        """Return J_lᵀ r, layer by layer."""
        return torch.cat([part.adjoint(r) for part in self.parts], dim=-1)

    def kernel(self, other: Features | None = None) -> Tensor:
        """Return Σ_l J_l J'_lᵀ."""
        return four_axes(self, other)

    def add_kernel(self, total: Tensor, other: Features | None, limit: int = LIMIT) -> None:
        """Add every layer's kernel, each in its cheaper way."""
        if other is None:
            for part in self.parts:
                part.add_kernel(total, None, limit)
        elif isinstance(other, Layered) and _alike(self, other):
            for part, second in zip(self.parts, other.parts, strict=True):
                part.add_kernel(total, second, limit)
        else:
            add_rows(total, self, other, limit)

    def matrix(self) -> Tensor:
        """Return the layers' matrices side by side."""
        return torch.cat([part.matrix() for part in self.parts], dim=2)

    def select(self, batch: Tensor) -> "Layered":
        """Return the same layers for the points with these indices."""
        return Layered(tuple(part.select(batch) for part in self.parts), self.names)


def as_one(pairs: Sequence[tuple[Features, Features]], limit: int) -> list[Layered] | None:
    """Return, for each pair, layers whose kernels, and those between the pairs, are the sums of
    both copies', with fewer products; None where there are no such.

    Two dense layers are one where they see the same inputs, or send on the same signals, in every
    pair. What is the same is found by comparing it, which is nothing beside a kernel.

    limit: bytes that these layers may take.
    """
    copies = [features for pair in pairs for features in pair if isinstance(features, Layered)]
    kinds = {(features.names, len(features.parts)) for features in copies}
    if len(copies) < 2 * len(pairs) or len(kinds) > 1:
        return None
    layers = [*zip(*(copy.parts for copy in copies), strict=True)]
    shared = [_shared(layer) for layer in layers]
    held = sum(part.nbytes for layer in layers for part in layer if isinstance(part, Layer))
    if None in shared or held > limit:
        return None
    found = [[*_joined(layer, what)] for layer, what in zip(layers, shared, strict=True)]
    return [Layered(parts, copies[0].names) for parts in zip(*found, strict=True)]


def _shared(layer: Sequence[Features]) -> str | None:
    """Return what both copies of a dense layer have in common: the copies stand in turn."""
    dense = [part for part in layer if isinstance(part, Layer) and part.inputs.shape[1] == 1]
    if len(dense) < len(layer) or len({part.bias for part in dense}) > 1:
        return None
    pairs = [*zip(dense[::2], dense[1::2], strict=True)]
    if all(torch.equal(one.inputs, other.inputs) for one, other in pairs):
        return "inputs"
    same = not dense[0].bias and all(torch.equal(a.signals, b.signals) for a, b in pairs)
    return "signals" if same else None


def _joined(layer: Sequence[Any], shared: str | None) -> Iterator[Layer]:
    for one, other in zip(layer[::2], layer[1::2], strict=True):
        if shared == "inputs":
            yield Layer(one.inputs, torch.cat([one.signals, other.signals], dim=-1), one.bias)
        else:
            yield Layer(torch.cat([one.inputs, other.inputs], dim=-1), one.signals)


def _alike(first: Layered, second: Layered) -> bool:
    """Whether both have the same kinds of parts, so that kernels add up part by part."""
    return [(type(a), a.shape[1:]) for a in first.parts] == [
        (type(b), b.shape[1:]) for b in second.parts
    ]


def _times(points: slice, rows: int) -> slice:
    return slice(points.start * rows, points.stop * rows)
