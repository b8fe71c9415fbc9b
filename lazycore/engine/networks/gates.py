"""Which side of zero hidden units are on, and networks whose gates stay as they were at first.

A ReLU multiplies its input by a gate that is 0 or 1, a max pool passes one of its four inputs
on. In the lazy limit no gate changes its mind (Chizat, Oyallon & Bach 2019, arXiv:1812.07956,
Appendix C.2). Gates are found by hooks on the activations of a module; what is computed by
plain functions instead is not seen.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lazycore.machine.once import once

ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Softplus, nn.Sigmoid)

LARGEST_SIGNS = 2**25
"""Pre-activations, at most, whose signs are compared: of the first points, as many as fit."""

Function = Callable[[Tensor, Tensor], Tensor]
"""A network: weights (p,), points → outputs (n, k)."""


@contextmanager
def _hooked(modules: Sequence[nn.Module], hook: Callable) -> Iterator[None]:
    handles = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def observe(
    module: nn.Module, function: Function, w: Tensor, x: Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Return h(w, x) and what each activation of the module received, (n, m) per use, in order.

    function: what calls the module with the weights w.
    """
    seen: list[Tensor] = []

    def keep(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        # One that works in place has overwritten it; its output has the same sign.
        seen.append(inputs[0].detach())

    found = [part for part in module.modules() if isinstance(part, ACTIVATIONS)]
    with _hooked(found, keep):
        outputs = function(w, x)
    return outputs, [z.flatten(1) for z in seen if z.ndim > 1 and len(z) == len(x)]


def frozen_gates(module: nn.Module, function: Function, w0: Tensor, w: Tensor, x: Tensor) -> Tensor:
    """Return the outputs (n, k) of the network with weights w and the gates of w0.

    Every ReLU multiplies by 1 where its input was positive at w0, every max pool passes on
    what it passed on there. Only right for modules whose ReLUs do not work in place, and
    which are linear but for them and their max pools.
    Cost: two forward passes.
    """
    kept: list[Tensor] = []

    def note(part: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        z = inputs[0]
        if isinstance(part, nn.MaxPool2d):
            kept.append(_argmax(part, z))
        else:
            kept.append(z > 0.0)

    def replay(part: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        gate, z = kept.pop(0), inputs[0]
        if isinstance(part, nn.MaxPool2d):
            return z.flatten(2).gather(2, gate.flatten(2)).view(gate.shape)
        return z * gate

    gates = [part for part in module.modules() if isinstance(part, (nn.ReLU, nn.MaxPool2d))]
    with torch.no_grad():
        with _hooked(gates, note):
            function(w0, x)
        with _hooked(gates, replay):
            return function(w, x)


def _argmax(pool: nn.MaxPool2d, images: Tensor) -> Tensor:
    return nn.functional.max_pool2d(
        images,
        pool.kernel_size,
        pool.stride,
        pool.padding,
        pool.dilation,
        pool.ceil_mode,
        return_indices=True,
    )[1]


@dataclass(frozen=True, eq=False)
class Signs:
    """The signs of all pre-activations at w0 on the first points, to compare later ones with.

    observe: (w, x) → outputs and pre-activations. at_once: points that may be passed at once;
    None for a network that has to be given all of them.
    """

    observe: Callable[[Tensor, Tensor], tuple[Tensor, list[Tensor]]]
    w0: Tensor
    x: Tensor
    at_once: int | None

    @once
    def points(self) -> int:
        """Points whose signs are compared; 0 where no activation is known."""
        first = self.x if self.at_once is None else self.x[:1]
        units = sum(z.shape[1] for z in self.observe(self.w0, first)[1])
        if not units or self.at_once is None:
            return len(self.x) if units else 0
        return min(len(self.x), max(1, LARGEST_SIGNS // units))

    def kept(self, w: Tensor) -> Tensor:
        """Return the share of (point, unit) pairs with the sign they began with, (layers,)."""
        totals = [
            torch.stack([((z > 0.0) == sign).sum() for z, sign in zip(now, before, strict=True)])
            / torch.tensor([z.shape[1] for z in now], dtype=w.dtype, device=w.device)
            for now, before in zip(self._parts(w), self._before, strict=True)
        ]
        return torch.stack(totals).sum(0) / self.points

    @once
    def _before(self) -> list[list[Tensor]]:
        return [[z > 0.0 for z in part] for part in self._parts(self.w0)]

    def _parts(self, w: Tensor) -> Iterator[list[Tensor]]:
        for part in self.x[: self.points].split(self.at_once or self.points):
            yield self.observe(w, part)[1]
