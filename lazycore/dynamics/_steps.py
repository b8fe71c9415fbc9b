"""Adaptive steps that cannot stall: what the Runge–Kutta methods share.

A step whose error is too large is made smaller, but not below a floor: where the right side
has kinks no step size meets a tolerance, and what is accepted there shows in the error that
the run reports.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

SAFETY, SHRINK, GROW = 0.9, 0.2, 5.0

ROUGH = 10.0
"""Excess of an accepted step above which the polynomial through it may swing between its
ends (a loss that falls from end to end rose by 5 % within): a straight line does not."""


class Judge(Protocol):
    """What decides about a step: asked for its excess first, then perhaps the rest."""

    def excess(self, y: Tensor, error: Tensor) -> float:
        """Return the estimated error of the step to y, divided by what is allowed."""
        ...

    def descends(self) -> bool:
        """Whether the step judged last is at least a stable one."""
        ...

    def accept(self) -> None:
        """Take note that the step judged last was taken."""
        ...


@dataclass(eq=False)
class Controlled:
    """The solution of y' = rate(y) from y at time 0, as far as it has been advanced.

    rate: y → y'. judge: decides what error is too large. end: no step goes beyond. step: the
    first one to try. floor: time → step at which whatever descends is accepted.
    """

    rate: Callable[[Tensor], Tensor]
    judge: Judge
    y: Tensor
    end: float
    step: float
    floor: Callable[[float], float]
    time: float = 0.0
    evaluations: int = 0
    width: float = 0.0
    _previous: tuple[float, Tensor] | None = None
    _excess: float = 0.0

    order = 0
    """Order of the estimate's method: the error of a step falls as its power order + 1."""

    def advance(self, time: float, limit: float) -> Tensor | None:
        """Return y at `time`, or None once more than `limit` evaluations were taken.

        Raises `FloatingPointError` where no step, however small, stays finite.
        """
        while self.time < time:
            if self.evaluations > limit:
                return None
            self._advance_one()
        if self._previous is None or time == self.time:
            return self.y
        share = (time - self._previous[0]) / self.width
        if self._excess > ROUGH:
            return torch.lerp(self._previous[1], self.y, share)
        return self._interpolate(share)

    @property
    def previous_state(self) -> tuple[float, Tensor]:
        """Time and state at the start of the last step."""
        assert self._previous is not None
        return self._previous

    def _advance_one(self) -> None:
        """Take one accepted step."""
        floor = self.floor(self.time)
        while True:
            step = min(self.step, self._longest())
            # The last step must end exactly at the end, and not leave a sliver behind it.
            last = self.time + 1.01 * step >= self.end
            h = self.end - self.time if last else step
            y, error = self._attempt(h)
            excess = self.judge.excess(y, error)
            if excess <= 1.0 or (h <= floor and self.judge.descends()):
                break
            # At the floor only instability is left as a reason to go below it.
            self.step = max(h * self._factor(excess), floor if h > floor else 0.0)
            self._rejected()
            if h < 1e-12 * floor:
                raise FloatingPointError("the right side is not finite however small the step")
        self._previous, self.width, self._excess = (self.time, self.y), h, excess
        self.time, self.y = self.end if last else self.time + h, y
        self.step = max(h * self._factor(excess), min(h, floor))
        self.judge.accept()
        self._accepted()

    def _factor(self, excess: float) -> float:
        """Return by how much the next step may differ; a tenth where the error is not finite."""
        if not math.isfinite(excess):
            return 0.1
        if excess == 0.0:
            return GROW
        return min(GROW, max(SHRINK, SAFETY * excess ** (-1.0 / (self.order + 1))))

    def _rate(self, y: Tensor) -> Tensor:
        self.evaluations += 1
        return self.rate(y)

    def _longest(self) -> float:
        """Return the longest step the method can take."""
        return math.inf

    def _attempt(self, h: float) -> tuple[Tensor, Tensor]:
        raise NotImplementedError

    def _accepted(self) -> None:
        """Keep what the next step and the interpolant need."""

    def _rejected(self) -> None:
        """Look again at what may have spoiled the step."""

    def _interpolate(self, x: float) -> Tensor:
        raise NotImplementedError
