"""What a module keeps beside parameters and buffers: counters, what it saw last, generators."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lazycore.networks.inputs import alike

TORCH_KEEPS = frozenset(("_parameters", "_buffers", "_modules"))


@dataclass(frozen=True, eq=False)
class State:
    """The attributes of every submodule, as they were; tensors among them by value."""

    attributes: list[tuple[nn.Module, dict[str, Any]]]

    @classmethod
    def of(cls, module: nn.Module) -> "State":
        """Return what this module, and those within it, keep now."""
        return cls([(part, dict(_own(part))) for part in module.modules()])

    def put_back(self) -> None:
        """Have every submodule keep again what it kept then, and nothing else."""
        for module, kept in self.attributes:
            for name in [name for name, _ in _attributes(module) if name not in kept]:
                del vars(module)[name]
            for name, value in kept.items():
                vars(module)[name] = value.clone() if isinstance(value, Tensor) else value

    def changed(self) -> list[str]:
        """Return the names of attributes that are not what they were then."""
        found = []
        for module, kept in self.attributes:
            now = dict(_attributes(module))
            for name in sorted(now.keys() | kept.keys()):
                if name not in now or name not in kept or not _same(kept[name], now[name]):
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


def _own(module: nn.Module) -> Iterator[tuple[str, Any]]:
    for name, value in _attributes(module):
        yield name, value.detach().clone() if isinstance(value, Tensor) else value


def _attributes(module: nn.Module) -> Iterator[tuple[str, Any]]:
    for name, value in vars(module).items():
        if name not in TORCH_KEEPS:
            yield name, value


def _same(before: Any, now: Any) -> bool:
    if isinstance(before, Tensor) and isinstance(now, Tensor):
        return alike(before, now.detach())
    if isinstance(before, (int, float, complex, str, bytes, type(None))):
        return type(before) is type(now) and before == now
    return before is now
