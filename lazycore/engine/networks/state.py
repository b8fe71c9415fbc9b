"""What a module keeps beside parameters and buffers: counters, what it saw last, generators."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from operator import is_
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lazycore.engine.networks.inputs import alike

TORCH_KEEPS = frozenset(("_parameters", "_buffers", "_modules"))


@dataclass(frozen=True, eq=False)
class Kept:
    """An attribute, and what it was: tensors and lists can be changed where they are."""

    value: Any
    content: Any

    @classmethod
    def of(cls, value: Any) -> "Kept":
        """Return this attribute and what it is now."""
        if isinstance(value, Tensor):
            return cls(value, value.detach().clone())
        return cls(value, list(value) if type(value) is list else value)

    def put_back(self) -> Any:
        """Return the attribute as it was."""
        if isinstance(self.value, Tensor):
            same = alike(self.content, self.value.detach())
            return self.value if same else self.content.clone()
        if type(self.value) is list:
            self.value[:] = self.content
        return self.value

    def is_now(self, value: Any) -> bool:
        """Whether an attribute is what this one was."""
        if isinstance(self.value, Tensor) and isinstance(value, Tensor):
            return alike(self.content, value.detach())
        if isinstance(value, (int, float, complex, str, bytes, type(None))):
            return type(value) is type(self.value) and value == self.value
        if type(self.value) is list and self.value is value:
            return len(value) == len(self.content) and all(map(is_, value, self.content))
        return value is self.value


@dataclass(frozen=True, eq=False)
class State:
    """The attributes of every submodule, as they were; tensors and lists among them by value."""

    attributes: list[tuple[nn.Module, dict[str, Kept]]]

    @classmethod
    def of(cls, module: nn.Module) -> "State":
        """Return what this module, and those within it, keep now."""
        parts = module.modules()
        return cls([(p, {n: Kept.of(v) for n, v in _attributes(p)}) for p in parts])

    def put_back(self) -> None:
        """Have every submodule keep again what it kept then, and nothing else."""
        for module, kept in self.attributes:
            for name in [name for name, _ in _attributes(module) if name not in kept]:
                del vars(module)[name]
            for name, attribute in kept.items():
                vars(module)[name] = attribute.put_back()

    def changed(self) -> list[str]:
        """Return the names of attributes that are not what they were then."""
        found = []
        for module, kept in self.attributes:
            now = dict(_attributes(module))
            for name in sorted(now.keys() | kept.keys()):
                if name not in now or name not in kept or not kept[name].is_now(now[name]):
                    found.append(name)
        return list(dict.fromkeys(found))


def generators(module: nn.Module) -> list[Any]:
    """Return the states of the random generators that the module, and those within it, hold."""
    found = []
    for part in module.modules():
        for _, value in _attributes(part):
            if isinstance(value, torch.Generator):
                found.append(value.get_state().tolist())
            elif isinstance(value, np.random.Generator):
                found.append(repr(value.bit_generator.state))
            elif isinstance(value, np.random.RandomState):
                found.append(repr(value.get_state()))
            elif isinstance(value, random.Random):
                found.append(value.getstate())
    return found


def _attributes(module: nn.Module) -> Iterator[tuple[str, Any]]:
    for name, value in vars(module).items():
        if name not in TORCH_KEEPS:
            yield name, value
