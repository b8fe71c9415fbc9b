"""Which dtype a module is trained in, and what its own passes round to."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from lazycore.networks.held_module import HeldModule, private_copy

WHOLE = (torch.float32, torch.float64)
"""What weights are trained in. In less, a step is below half of a weight's last digit."""


def candidates(module: nn.Module) -> Iterator[tuple[HeldModule, str]]:
    """Yield how copies of a module may be held, the best first, each with a sentence about it.

    The sentence is empty where all its numbers have one dtype in which one can train.
    """
    trained = {p.dtype.to_real() for p in module.parameters() if p.requires_grad}
    numbers = {t.dtype for t in (*module.parameters(), *module.buffers()) if t.is_floating_point()}
    master = torch.float64 if torch.float64 in trained else torch.float32
    wanted, names = _named(master), " and ".join(sorted(map(_named, trained | numbers)))
    if len(trained | numbers) == 1 and master in trained:
        yield HeldModule(private_copy(module), master), ""
        return
    own = f"the module's numbers are {names}: its weights are kept in {wanted}, and each pass "
    own += "rounds them to their own dtype."
    if not trained <= set(WHOLE):
        raised = private_copy(module)._apply(lambda t: t.to(master) if _is_less(t, master) else t)
        said = f"the module's numbers are {names}: it is trained in {wanted}."
        yield HeldModule(raised, master), said
    yield HeldModule(private_copy(module), master, own_dtypes=True), own


def _named(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


class Lowest(TorchDispatchMode):
    """While it is on, notes the coarsest real dtype that anything is computed in."""

    def __init__(self) -> None:
        super().__init__()
        self.epsilon = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Pass an operation on, and look at what comes out of it."""
        found = func(*args, **(kwargs or {}))
        for part in found if isinstance(found, (tuple, list)) else (found,):
            if isinstance(part, Tensor) and part.is_floating_point():
                self.epsilon = max(self.epsilon, torch.finfo(part.dtype).eps)
        return found


def _is_less(tensor: Tensor, master: torch.dtype) -> bool:
    return tensor.is_floating_point() and tensor.dtype.itemsize < master.itemsize
