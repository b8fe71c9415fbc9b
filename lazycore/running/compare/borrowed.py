"""Somebody's module, lent: computed with apart from all that they have set, and given back."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from lazycore.engine.networks.state import State
from lazycore.losses import Loss
from lazycore.machine.surroundings import apart
from lazycore.running.compare.foreign import Foreign, foreign
from lazycore.running.compare.randomness import undisturbed


@contextmanager
def borrowed(module: Any, sets: Mapping[str, Any], loss: Loss) -> Iterator[Foreign]:
    """Have the module as a network on these sets of points, and leave it as it was.

    sets: by the names of their arguments, training points first.
    Raises `ConfigError` for what is no deterministic, differentiable function of its weights.
    """
    with apart(_device(module)), undisturbed(), _uncached():
        kept = State.of(module) if isinstance(module, nn.Module) else None
        found = None
        try:
            found = foreign(module, sets, loss)
            yield found
        finally:
            if found is not None:
                found.network.held.release()
            if kept is not None:
                kept.put_back()  # a hook, or a closure, may have reached it


@contextmanager
def _uncached() -> Iterator[None]:
    """Have parametrisations computed anew, whatever the caller keeps of other weights."""
    cached = parametrize._cache_enabled
    parametrize._cache_enabled = 0
    try:
        yield
    finally:
        parametrize._cache_enabled = cached


def _device(module: Any) -> torch.device:
    """Return where the module's numbers are, the CPU where it has none."""
    tensors = module.parameters() if isinstance(module, nn.Module) else iter(())
    device = next((tensor.device for tensor in tensors), torch.device("cpu"))
    return torch.device("cpu") if device.type == "meta" else device
