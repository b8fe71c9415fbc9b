"""Problems of one shape as one: the gradients of many runs by a few large products.

A *lane* is one run among others of its shape: they differ in α, initial weights, data or
targets, not in the sizes of anything. What they all have goes along a first axis s.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lazycore.engine.networks.network import Change, Scale
from lazycore.engine.problem.anchor import Anchor
from lazycore.engine.problem.problem import Problem
from lazycore.losses import Loss

CACHE = 2**21
"""Bytes that the hidden units of the lanes in one product may fill on a CPU: one or two megabytes
are the same, four take a third longer (docs/log/speed.md, 2026-11-27). On a GPU all lanes go at
once."""


@dataclass(frozen=True, eq=False)
class Lanes:
    """The training of s problems: change of h, α (s, 1, 1), start and targets y (s, n, k).

    at_once: lanes that are advanced by one product.
    """

    change: Change
    alpha: Tensor
    start: Tensor
    y: Tensor
    loss: Loss
    at_once: int

    def __len__(self) -> int:
        return len(self.alpha)

    @property
    def is_recordable(self) -> bool:
        """Whether a GPU can take their gradient as recorded: none of it is decided here."""
        return self.alpha.is_cuda and not isinstance(self.change, OneByOne)

    def select(self, lanes: Tensor | slice) -> "Lanes":
        """Return some of the lanes; a slice shares their memory."""
        return Lanes(
            self.change.select(lanes),
            self.alpha[lanes],
            self.start[lanes],
            self.y[lanes],
            self.loss,
            self.at_once,
        )

    def gradient(self, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return Dhᵀ ∇R(αh) at w0 + v/α (s, p), minus the velocity of v, and the change of αh
        since the start (s, n, k)."""
        if len(self) <= self.at_once:
            return self._gradient(v)
        parts = [part._gradient(v[lanes]) for lanes, part in self._parts()]
        return torch.cat([g for g, _ in parts]), torch.cat([f for _, f in parts])

    def outputs(self, v: Tensor) -> Tensor:
        """Return the change of αh since the start, (s, n, k)."""
        if len(self) <= self.at_once:
            return self.alpha * self.change(v, 1.0 / self.alpha[:, 0])
        return torch.cat([part.outputs(v[lanes]) for lanes, part in self._parts()])

    def losses(self, changes: Tensor) -> Tensor:
        """Return R at these changes of the outputs, (s,)."""
        return self.loss.per_point(self.start + changes, self.y).mean(-1)

    def lowest(self, changes: Tensor) -> Tensor:
        """Return the smallest y f at these changes of the outputs, (s,)."""
        return ((self.start + changes) * self.y).amin((1, 2))

    def _gradient(self, v: Tensor) -> tuple[Tensor, Tensor]:
        change, pull = self.change.pullback(v, 1.0 / self.alpha[:, 0])
        change = self.alpha * change
        residual = self.loss.gradient(self.start + change, self.y) / self.y.shape[1]
        return pull(residual), change

    def _parts(self):
        for first in range(0, len(self), self.at_once):
            lanes = slice(first, first + self.at_once)
            yield lanes, self.select(lanes)


def stack(problems: Sequence[Problem]) -> Lanes:
    """Return the training of these problems, of one network shape and as many points each."""
    first = problems[0]
    trains = [problem.train for problem in problems]
    if first.network.stacked:
        x = [train.x for train in trains]
        shared = all(other is x[0] for other in x)
        w0 = torch.stack([train.w0 for train in trains])
        anchor = Anchor(first.network, w0, x[0] if shared else torch.stack(x))
        change: Change = anchor.change
        units = len(first.train) * sum(block.shape[0] for block in first.network.blocks)
        on_cpu = first.w0.device.type == "cpu"
        at_once = max(1, CACHE // (units * first.w0.element_size())) if on_cpu else len(trains)
    else:
        change, at_once = OneByOne([train.anchor.change for train in trains]), len(trains)
    return Lanes(
        change=change,
        alpha=first.w0.new_tensor([[[problem.alpha]] for problem in problems]),
        start=torch.stack([train.start for train in trains]),
        y=torch.stack([problem.targets for problem in problems]),
        loss=first.loss,
        at_once=at_once,
    )


@dataclass(frozen=True, eq=False)
class OneByOne:
    """The changes of networks that take no lanes, one after another."""

    changes: Sequence[Change]

    def __call__(self, v: Tensor, c: Scale) -> Tensor:
        """Return the changes of the outputs, (s, n, k)."""
        return torch.stack([f(part, each) for f, part, each in self._each(v, c)])

    def pullback(self, v: Tensor, c: Scale) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """Return the changes, and r (s, n, k) → (s, p)."""
        found = [f.pullback(part, each) for f, part, each in self._each(v, c)]
        pulls = [pull for _, pull in found]
        return (
            torch.stack([change for change, _ in found]),
            lambda r: torch.stack([pull(part) for pull, part in zip(pulls, r, strict=True)]),
        )

    def observe(self, v: Tensor, c: Scale) -> tuple[Tensor, list[Tensor]]:
        """Return the changes; hidden units are not known."""
        return self(v, c), []

    def _each(self, v: Tensor, c: Scale) -> Iterator[tuple[Change, Tensor, float]]:
        factors = c.flatten().tolist() if isinstance(c, Tensor) else [c] * len(v)
        return zip(self.changes, v, factors, strict=True)

    def select(self, lanes: Tensor | slice) -> "OneByOne":
        """Return the same for some of the lanes only."""
        if isinstance(lanes, slice):
            return OneByOne(self.changes[lanes])
        return OneByOne([self.changes[lane] for lane in lanes.tolist()])
