"""Which dtype a module is trained in, and what its own passes round to."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lazycore.engine.networks.held_module import HeldModule, private_copy
from lazycore.errors import ConfigError

WHOLE = (torch.float32, torch.float64)
"""What weights are trained in. In less, a step is below half of a weight's last digit."""


def held(module: nn.Module, copied: bool = True) -> tuple[HeldModule, str]:
    """Return how a copy of the module is held, or itself, and a sentence about its dtype.

    The sentence is empty where all its numbers have one dtype in which one can train. Raises
    `ConfigError` where only a copy could be trained, and `UNCOPIED` where there is none.
    """
    trained = {p.dtype.to_real() for p in module.parameters() if p.requires_grad}
    numbers = {t.dtype for t in (*module.parameters(), *module.buffers()) if t.is_floating_point()}
    master = torch.float64 if torch.float64 in trained else torch.float32
    wanted, names = _named(master), " and ".join(sorted(map(_named, trained | numbers)))
    body = private_copy(module) if copied else module
    if len(trained | numbers) == 1 and master in trained:
        return HeldModule(body, master), ""
    if trained <= set(WHOLE):
        said = f"the module's numbers are {names}: each stays in its own dtype."
        return HeldModule(body, master, own_dtypes=True), said
    if not copied:
        raise ConfigError(
            f"the module's numbers are {names}, in which one cannot train, and no copy of it in "
            f"{wanted} can be made: give module.to(torch.{wanted})."
        )
    raised = body._apply(lambda t: t.to(master) if _is_less(t, master) else t)
    return HeldModule(
        raised, master
    ), f"the module's numbers are {names}: it is trained in {wanted}."


def _named(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


class Lowest(TorchFunctionMode):
    """While it is on, notes the coarsest real dtype that anything is computed in."""

    def __init__(self) -> None:
        super().__init__()
        self.epsilon, self.dtype = 0.0, torch.float64

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Pass an operation on, and look at what comes out of it."""
        found = func(*args, **(kwargs or {}))
        for part in found if isinstance(found, (tuple, list)) else (found,):
            if isinstance(part, Tensor) and part.is_floating_point():
                epsilon = torch.finfo(part.dtype).eps
                if epsilon > self.epsilon:
                    self.epsilon, self.dtype = epsilon, part.dtype
        return found


def _is_less(tensor: Tensor, master: torch.dtype) -> bool:
    return tensor.is_floating_point() and tensor.dtype.itemsize < master.itemsize
