"""Random numbers that a module draws: seen in the generators' states, left as they were."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

DROPPING = (nn.modules.dropout._DropoutNd, nn.RReLU)

States = tuple[bytes, ...]
"""Where the generators of torch (of every device), numpy and Python stand."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Leave the global generators of torch, numpy and Python where they were."""
    kept = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(_devices()):
        try:
            yield
        finally:
            random.setstate(kept[0])
            np.random.set_state(kept[1])


def seed_all(seed: int) -> States:
    """Start all global generators from a seed, and return where they stand."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    return states()


def states() -> States:
    """Return where the global generators stand."""
    on_devices = [torch.cuda.get_rng_state(device) for device in _devices()]
    found = [torch.get_rng_state(), *on_devices]
    others = repr(np.random.get_state()), repr(random.getstate())
    return (*(bytes(state.tolist()) for state in found), *(text.encode() for text in others))


def are_drawn(passes: list[tuple[States, States]]) -> bool:
    """Whether passes drew random numbers, by where the generators began and ended.

    A pass that sets the seed itself ends at the same place wherever it began: it draws the same
    numbers each time, and is a function all the same.
    """
    places = zip(*(zip(*one, strict=True) for one in passes), strict=True)
    return any(
        any(begun != ended for begun, ended in place) and len({ended for _, ended in place}) > 1
        for place in places
    )


def culprits(module: nn.Module) -> str:
    """Return which layers of the module say that they draw random numbers, as a sentence's part."""
    found = dict.fromkeys(
        f"{name or 'the module'} ({type(part).__name__})"
        for name, part in module.named_modules()
        if part.training and _draws(part)
    )
    return ", ".join(found)


def _draws(part: nn.Module) -> bool:
    if isinstance(part, DROPPING):
        return getattr(part, "p", 1.0) > 0.0
    return isinstance(part, (nn.RNNBase, nn.MultiheadAttention)) and bool(part.dropout)


def _devices() -> list[int]:
    return list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
