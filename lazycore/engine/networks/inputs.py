"""What a module is given: a tensor, several, or some by name; points along their first axes."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything that a module is called with, for one set of points.

    value: a tensor, a dict or a tuple; what is no tensor in it goes on as it is.
    spread: whether a dict goes to the module by keywords, and a tuple one by one.
    name: what a sentence calls them.
    """

    value: Any
    spread: bool = True
    name: str = "inputs"

    def call(self, module: nn.Module) -> Any:
        """Return what the module makes of these."""
        if self.spread and isinstance(self.value, Mapping):
            return module(**self.value)
        if self.spread and isinstance(self.value, tuple):
            return module(*self.value)
        return module(self.value)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Yield each tensor, and how it is named in a sentence about x."""
        if isinstance(self.value, Tensor):
            yield "", self.value
            return
        found = self.value.items() if isinstance(self.value, Mapping) else enumerate(self.value)
        yield from ((f"[{key!r}]", part) for key, part in found if isinstance(part, Tensor))

    def each(self, change: Callable[[Tensor], Tensor]) -> "Inputs":
        """Return these with every tensor changed."""

        def changed(part: Any) -> Any:
            return change(part) if isinstance(part, Tensor) else part

        if isinstance(self.value, Mapping):
            return replace(self, value={key: changed(part) for key, part in self.value.items()})
        if isinstance(self.value, tuple):
            return replace(self, value=tuple(changed(part) for part in self.value))
        return replace(self, value=changed(self.value))

    def of(self, points: Tensor) -> "Inputs":
        """Return the inputs of the points with these indices."""
        return self.each(lambda part: part[points])

    @property
    def shapes(self) -> str:
        """The tensors' shapes, as a sentence has them."""
        return ", ".join(str(tuple(part.shape)) for _, part in self.tensors())


def inputs_for(module: nn.Module, value: Any, name: str) -> Inputs:
    """Return how the module is to be called with `value`: spread out where it takes it so."""
    if isinstance(value, list):
        value = tuple(value)
    if isinstance(value, Tensor):
        return Inputs(value, name=name)
    try:
        signature = inspect.signature(module.forward)
    except (TypeError, ValueError):
        return Inputs(value, name=name)
    try:
        given = {"kwargs": value} if isinstance(value, Mapping) else {"args": value}
        signature.bind(*given.get("args", ()), **given.get("kwargs", {}))
    except TypeError:
        return Inputs(value, spread=False, name=name)
    return Inputs(value, name=name)


def same_bytes(first: Inputs, second: Inputs) -> bool:
    """Whether both hold equal tensors, NaN equal to itself."""
    pairs = zip(first.tensors(), second.tensors(), strict=True)
    return all(alike(a, b) for (_, a), (_, b) in pairs)


def alike(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors are equal entry by entry, NaN equal to itself."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.is_floating_point() or a.is_complex():
        return bool(torch.equal(a, b)) or bool(torch.isclose(a, b, 0.0, 0.0, True).all())
    return torch.equal(a, b)
