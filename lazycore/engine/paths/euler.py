"""Explicit Euler steps of one model, accepted or not by the rule of Geiger et al. (2020)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lazycore.config.moments import MODELS
from lazycore.engine.linear.tangent import FunctionSpace, TangentSpace
from lazycore.engine.problem.problem import Problem
from lazycore.engine.problem.stacked import stack
from lazycore.engine.steppers.crossing import excess

if TYPE_CHECKING:
    from lazycore.engine.linear.tangent import ParameterSpace

GROW, SHRINK = 1.1, 0.1
RETRIES = 25
"""Rejections in a row after which no step is sought any more."""

KINK_SHARE = 1e-3
"""Below this share of the time passed a step over a kink is taken whatever the gradient does."""

ROUNDING, KINK = "rounding", "kink"


@dataclass(eq=False)
class Mover:
    """One model: its position y, and minus its velocity and the change of its outputs there."""

    look: Callable[[Tensor], tuple[Tensor, Tensor]]
    inner: Callable[[Tensor, Tensor], float]
    y: Tensor
    before: Tensor
    g: Tensor
    f: Tensor

    def tried(self, h: float) -> tuple[tuple[Tensor, Tensor, Tensor], float, float]:
        """Return where a step leads, max |ΔF| and ‖g − g'‖²/(‖g‖‖g'‖), 0 where a norm is 0."""
        y = self.y - h * self.g
        g, f = self.look(y)
        size = (self.inner(self.g, self.g) * self.inner(g, g)) ** 0.5
        apart = g - self.g
        turned = self.inner(apart, apart) / size if size > 0.0 else 0.0
        return (y, g, f), float((f - self.f).abs().max()), turned

    def take(self, found: tuple[Tensor, Tensor, Tensor]) -> None:
        """Move to what was tried."""
        self.before, (self.y, self.g, self.f) = self.y, found


def network_mover(problem: Problem) -> Mover:
    """Return the network at v = 0."""
    lanes = stack([problem])

    def look(v: Tensor) -> tuple[Tensor, Tensor]:
        gradient, change = lanes.gradient(v[None])
        return gradient[0], change[0]

    zero = torch.zeros_like(problem.w0)
    return Mover(look, lambda a, b: float(a @ b), zero, zero, *look(zero))


def tangent_mover(space: "FunctionSpace | ParameterSpace") -> Mover:
    """Return the linearised model at s = 0; its products are those of v̄, whatever s is."""
    problem = space.problem

    def look(s: Tensor) -> tuple[Tensor, Tensor]:
        outputs = space.outputs(s)
        return space.pull(problem.residual(problem.train.start + outputs)), outputs

    zero = torch.zeros(space.size, dtype=space.dtype, device=problem.w0.device)
    return Mover(look, _product(space), zero, zero, *look(zero))


def _product(space: TangentSpace) -> Callable[[Tensor, Tensor], float]:
    if isinstance(space, FunctionSpace):
        return lambda a, b: float(space.outputs(a).flatten() @ b)
    return lambda a, b: float(a @ b)


@dataclass(eq=False)
class Walk:
    """Both models on the steps of the network; of the one that is left once the other has ended.

    gradient_tolerance, output_tolerance: ε_∇ and ε_out. step: the first to try. margin: None
    where models do not stop. evaluations: gradients of the leading model so far.
    """

    problem: Problem
    movers: dict[str, Mover]
    gradient_tolerance: float
    output_tolerance: float
    step: float
    end: float
    margin: float | None
    limit: float
    time: float = 0.0
    width: float = 0.0
    evaluations: int = 0
    met: frozenset[str] = frozenset()
    diagnosis: str = ""
    _wrong: list[tuple[float, float]] = field(default_factory=list)

    def steps(self) -> Iterator[bool]:
        """Yield after each step, up to the end of both models, of the time or of the limit."""
        while self.time < self.end and self.met != MODELS and self.evaluations <= self.limit:
            leader = self.movers["linearized" if "nonlinear" in self.met else "nonlinear"]
            h = min(self.step, self.end - self.time)
            found, moved, turned = leader.tried(h)
            self.evaluations += 1
            if not self._accepts(h, moved, turned):
                self.step = SHRINK * h
                self._wrong.append((moved, turned))
                if len(self._wrong) > RETRIES or self.time + self.step <= self.time:
                    self.diagnosis = self._reason()
                    return
                continue
            self._wrong.clear()
            self._take(leader, found, h)
            if turned < 0.5 * self.gradient_tolerance and moved < 0.5 * self.output_tolerance:
                self.step *= GROW
            yield True

    def _accepts(self, h: float, moved: float, turned: float) -> bool:
        if not moved < self.output_tolerance:
            return False
        if turned < self.gradient_tolerance:
            return True
        over = not self.problem.network.smooth and h < KINK_SHARE * self.time
        if over:
            self.diagnosis = KINK
        return over

    def _take(self, leader: Mover, found: tuple[Tensor, Tensor, Tensor], h: float) -> None:
        other = self.movers["linearized"]
        for mover in self.movers.values():
            mover.before = mover.y
        if leader is not other and "linearized" not in self.met:
            y = other.y - h * other.g
            other.take((y, *other.look(y)))
        leader.take(found)
        self.width, last = h, self.time + h >= self.end
        self.time = self.end if last else self.time + h
        if self.margin is not None:
            for name in MODELS - self.met:
                f = self.problem.train.start + self.movers[name].f
                if excess(f, self.problem.targets, self.margin) >= 0.0:
                    self.met |= {name}

    def _reason(self) -> str:
        """Return what no step cures: rounding of the outputs, or a kink."""
        return ROUNDING if not self._wrong[-1][0] < self.output_tolerance else KINK
