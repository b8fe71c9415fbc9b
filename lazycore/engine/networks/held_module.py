"""A torch module whose parameters are held, for a while, at parts of one flat vector.

While they are, the module *is* a function of that vector: also in a backward pass that reads the
module again (checkpoints that compute anew, a backward of one's own). `private_copy` makes a
copy of somebody's module, so that nothing a forward pass changes is theirs.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lazycore.engine.networks.inputs import alike
from lazycore.engine.networks.network import Block
from lazycore.machine.once import once

UNCOPIED = (TypeError, ValueError, RuntimeError, AttributeError, NotImplementedError)
"""What copying an attribute raises that cannot be copied: locks, generators, computed tensors."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where one parameter stands: at every (submodule, name) that has it."""

    parameter: nn.Parameter
    block: Block
    spots: tuple[tuple[nn.Module, str], ...]

    def part(self, numbers: Tensor, dtype: torch.dtype | None) -> Tensor:
        """Return these numbers of the flat vector as this parameter, in this dtype or as is."""
        whole = numbers.view(self.block.shape)
        if self.parameter.is_complex():
            return torch.view_as_complex(whole)
        return whole if dtype is None else whole.to(dtype)


@dataclass(frozen=True, eq=False)
class HeldModule:
    """A module, and where its trained parameters stand in it, each once.

    A complex parameter is two real numbers for each of its entries, as torch trains it.

    dtype: that of the vector; None for as it comes, which is what the parameters have.
    own_dtypes: whether each parameter keeps its dtype, rather than take that of the vector.
    """

    module: nn.Module
    dtype: torch.dtype | None = None
    own_dtypes: bool = False

    @once
    def places(self) -> tuple[Place, ...]:
        """The trained parameters, under the first of their names."""
        spots: dict[int, list[tuple[nn.Module, str]]] = {}
        for part in self.module.modules():
            for name, parameter in part._parameters.items():
                if parameter is not None:
                    spots.setdefault(id(parameter), []).append((part, name))
        found, start = [], 0
        for name, parameter in self.module.named_parameters():
            if not parameter.requires_grad:
                continue
            shape = (*parameter.shape, 2) if parameter.is_complex() else tuple(parameter.shape)
            block = Block(name, shape, start)
            found.append(Place(parameter, block, tuple(spots[id(parameter)])))
            start = block.slice.stop
        return tuple(found)

    @once
    def blocks(self) -> tuple[Block, ...]:
        """One block of the flat vector for each trained parameter, under its own name."""
        return tuple(place.block for place in self.places)

    def weights(self) -> Tensor:
        """Return the module's present weights as one vector."""
        return torch.cat(
            [_real(place.parameter).reshape(-1).to(self.dtype) for place in self.places]
        )

    @property
    def is_plain(self) -> bool:
        """Whether every parameter is its part of the vector as it is: real, and of one dtype."""
        return not self.own_dtypes and not any(p.parameter.is_complex() for p in self.places)

    def parts(self, w: Tensor) -> tuple[Tensor, ...]:
        """Return w as the module's parameters."""
        # Split, not sliced: the gradient of a slice is as long as all of w, one for each block.
        split = w.split([math.prod(block.shape) for block in self.blocks])
        return tuple(
            place.part(numbers, place.parameter.dtype if self.own_dtypes else None)
            for place, numbers in zip(self.places, split, strict=True)
        )

    @contextmanager
    def at(self, parts: Sequence[Tensor]) -> Iterator[nn.Module]:
        """Have the module's parameters be these, and then again what they were."""
        self.hold(parts)
        try:
            yield self.module
        finally:
            self.release()

    def hold(self, parts: Sequence[Tensor], keep_buffers: bool = False) -> None:
        """Have the module's parameters be these until it is told others.

        Its buffers are fresh copies each time, so that what a pass does to them (batch norm) is
        undone; keep_buffers: as the last pass has left them.
        """
        self._put(parts)
        if not keep_buffers:
            for module, name, buffer in self._buffers:
                module._buffers[name] = buffer.clone()

    def release(self) -> None:
        """Have the module's parameters and buffers be those that it came with."""
        for module, name, buffer in self._buffers:
            module._buffers[name] = buffer
        self._put([place.parameter for place in self.places])

    def changed_buffers(self) -> list[str]:
        """Return the names of the buffers that the last pass has changed."""
        return [
            name
            for module, name, buffer in self._buffers
            if (now := module._buffers.get(name)) is None or not alike(buffer, now)
        ]

    @once
    def _buffers(self) -> list[tuple[nn.Module, str, Tensor]]:
        return [
            (part, name, buffer)
            for part in self.module.modules()
            for name, buffer in part._buffers.items()
            if buffer is not None
        ]

    def _put(self, tensors: Sequence[Tensor]) -> None:
        for place, tensor in zip(self.places, tensors, strict=True):
            for module, name in place.spots:
                module._parameters[name] = tensor  # type: ignore[assignment]


def private_copy(module: nn.Module) -> nn.Module:
    """Return a copy of the module that shares nothing which training could change.

    What cannot be copied is shared (a lock), or its value is (a tensor that was computed). Its
    embeddings have dense gradients.
    """
    try:
        found = copy.deepcopy(module)
    except UNCOPIED:
        memo: dict[int, Any] = {}
        for part in module.modules():
            for value in vars(part).values():
                _remember(value, memo)
        found = copy.deepcopy(module, memo)
    for part in found.modules():
        if isinstance(part, (nn.Embedding, nn.EmbeddingBag)):
            part.sparse = False
    return found


def _remember(value: Any, memo: dict[int, Any]) -> None:
    """Note what stands for an attribute in the copy where it cannot be copied itself."""
    if isinstance(value, Tensor) and not value.is_leaf:
        memo[id(value)] = value.detach().clone()
        return
    if isinstance(value, dict) and any(isinstance(v, (nn.Module, Tensor)) for v in value.values()):
        for entry in value.values():
            if not isinstance(entry, nn.Module):
                _remember(entry, memo)
        return
    try:
        copy.deepcopy(value, dict(memo))
    except UNCOPIED:
        memo[id(value)] = copy.copy(value) if isinstance(value, (dict, list, set)) else value


def _real(parameter: Tensor) -> Tensor:
    parameter = parameter.detach()
    return torch.view_as_real(parameter.resolve_conj()) if parameter.is_complex() else parameter
