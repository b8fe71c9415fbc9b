"""The same run again, its weights moved by a few roundings: how far rounding carries a run.

A run that learns features need not forget what it rounded: between saddles, beyond the edge of
stability and over kinks what two runs are apart grows, by 10¹³ and more. How much is not known
beforehand, so it is looked at: *twins* go beside a run, by the same steps, from w0 ∘ (1 + c ε ξ)
with random signs ξ; what their outputs come to be apart is what rounding comes to.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import repeat
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from lazycore.config.moments import DIVERGED, Position
from lazycore.config.spec import Values
from lazycore.engine.linear.tangent import tangent_space
from lazycore.engine.networks.kernel_cost import is_dear
from lazycore.engine.paths.descent import NetworkDescent, tangent_positions
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.problem import Points, Problem
from lazycore.engine.problem.stacked import stack
from lazycore.engine.steppers.pair import curvature

ROUNDINGS = 16.0
"""c: one start so far away stands for the roundings of many steps."""

SAFETY = 4.0
"""On what is seen of twins: in which directions errors grow is chance (docs/log/errors.md,
2026-11-28)."""

SEVERAL, SMALL = 3, 2**12
"""Twins of a run whose hidden units at all points are few, at most so many: there they take little
longer than one, which a larger run has. A kink is met by one twin and missed by another."""


def twin(problem: Problem, number: int = 0) -> Problem:
    """Return the same training from weights moved by roundings; each number moves them otherwise.

    Data and outputs at the start are those of `problem`, so that a twin of a lazy run stays as
    far away as its Jacobian is. Nothing is asked of a twin but its outputs: it needs no kernel.
    """
    w0 = problem.w0
    signs = np.random.default_rng(number).choice([-1.0, 1.0], w0.shape)
    moves = 1.0 + ROUNDINGS * torch.finfo(w0.dtype).eps * signs
    return problem.moved(w0 * torch.as_tensor(moves, dtype=w0.dtype, device=w0.device))


class Spread:
    """How far the twins of one run have been from it, at most, with their safety: `largest`."""

    def __init__(self, problem: Problem) -> None:
        # As far are outputs, at least, that have diverged where those of the run have not.
        self._lost = DIVERGED**0.5 * (float(rms(problem.train.start)) + float(rms(problem.targets)))
        self.largest = 0.0

    def note(self, own: Tensor, others: Tensor) -> None:
        """Look at changes of outputs, those of the run (n, k) and of its twins (r, n, k)."""
        apart = rms(others - own)
        for one in apart.tolist():
            self.largest = max(self.largest, SAFETY * one if np.isfinite(one) else self._lost)

    def note_tangent(self, here: Position, moved: Tensor | None) -> None:
        """Look at the linearised model, and at its twin where it has one."""
        if moved is not None:
            own, other = here.space.train_outputs(torch.stack([here.s, moved]))
            self.note(own, other[None])


class Twins:
    """The twins of many runs under full-batch gradient descent; they advance with them."""

    def __init__(self, problems: Sequence[Problem], values: Sequence[Values]) -> None:
        self._count = _how_many(problems[0])
        own = [lane for lane in range(len(problems)) for _ in range(self._count)]
        found = [twin(p, number) for p in problems for number in range(self._count)]
        etas, momenta = ([values[l][name] for l in own] for name in ("step_size", "momentum"))
        self._descent = NetworkDescent(stack(found), problems[0].w0, etas, momenta)
        self._spreads = [Spread(problem) for problem in problems]

    def advance(self, steps: int) -> None:
        """Take as many steps as the runs do."""
        self._descent.advance(steps)

    def hold(self, lane: int) -> None:
        """Have the twins of this lane move no more."""
        for number in range(self._count):
            self._descent.hold(lane * self._count + number)

    def spreads(self, changes: Tensor) -> list[Spread]:
        """Return those of all lanes, after a look at what their outputs have changed, (s, n, k)."""
        others = self._descent.lanes.outputs(self._descent.position)
        others = others.unflatten(0, (-1, self._count))
        for spread, own, other in zip(self._spreads, changes, others, strict=True):
            spread.note(own, other)
        return self._spreads


class Stepped(Protocol):
    """A network on its way, by steps on batches."""

    position: Tensor
    step_size: float | Tensor

    def step(self, *arguments: Any) -> None:
        """Take one step; `arguments` (a batch) go on to the gradient."""
        ...


class TwinDescent:
    """The twin of one run that takes its batches; `model` says how a network descends."""

    def __init__(self, problem: Problem, model: Callable[[Problem], Stepped]) -> None:
        self._problem, self._twin, self._spread = problem, twin(problem), Spread(problem)
        self._model = model(self._twin)

    def step(self, batch: Tensor | Points, step_size: float | Tensor) -> None:
        """Take a step of that size on this batch."""
        self._model.step_size = step_size
        self._model.step(batch)

    def look(self, v: Tensor) -> float:
        """Return how far it has been from the run, at most, which is at v now."""
        other = self._twin.train.changes(self._model.position[None])
        self._spread.note(self._problem.train.changes(v[None])[0], other)
        return self._spread.largest


def _how_many(problem: Problem) -> int:
    if not problem.network.stacked:
        return 1
    units = len(problem.train) * sum(block.shape[0] for block in problem.network.blocks)
    return SEVERAL if units <= SMALL else 1


def tangent_twin(problem: Problem, values: Values, steps: np.ndarray) -> Iterator[Tensor | None]:
    """Yield the linearised model after each of these steps, η moved by roundings, which moves all
    rates alike, and its outputs at the start by those of w0; None where it is stable, and forgets
    what it rounds."""
    eta, momentum = values["step_size"], values["momentum"]
    if is_dear(problem.network) or eta * curvature(problem) <= 2.0 * (1.0 + momentum):
        return repeat(None)
    share = ROUNDINGS * torch.finfo(problem.w0.dtype).eps
    train = problem.train
    points = replace(train)
    points.__dict__["anchor"] = train.anchor
    if not train.centered:
        signs = np.random.default_rng(0).choice([-1.0, 1.0], problem.w0.shape)
        probe = problem.w0 * torch.as_tensor(signs, dtype=train.w0.dtype, device=train.w0.device)
        moves = share * problem.alpha * train.features.apply(probe.to(train.features.like))
        points.__dict__["start"] = train.start + moves.to(train.start)
    moved = tangent_space(replace(problem, train=points))
    return tangent_positions(moved, eta * (1.0 + share), momentum, steps)
