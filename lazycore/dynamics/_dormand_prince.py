"""An adaptive Runge–Kutta integrator that cannot stall.

Dormand & Prince (1980), J. Comput. Appl. Math. 6:19–26: order 5 with an embedded order 4,
and the quartic interpolant of Shampine (1986), Math. Comp. 46:135–150. A step whose error
is too large is made smaller, but never below a floor: where the right side has kinks no
step size meets the tolerance, and what is accepted there shows in the error estimate.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
"""Row i: how stage i + 1 is formed from those before; the last row is the solution itself."""

ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
"""Weights of the difference between the solutions of order 5 and 4."""

INTERPOLANT = (
    (1.0, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432),
    (0.0, 0.0, 0.0, 0.0),
    (0.0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799),
    (0.0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072),
    (0.0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632),
    (0.0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844),
    (0.0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423),
)
"""y(t + xh) = y + h Σ_i k_i Σ_j INTERPOLANT[i][j] x^{j+1}."""

SAFETY, SHRINK, GROW = 0.9, 0.2, 5.0


@dataclass(eq=False)
class DormandPrince:
    """The solution of y' = rate(y) from y at time 0, as far as it has been advanced.

    rate: y → y'. excess: (y, difference to the embedded solution) → error ÷ what is
    allowed; called right after `rate(y)`. end: no step goes beyond. step: the first one
    to try. floor: steps this small are accepted whatever their error.
    """

    rate: Callable[[Tensor], Tensor]
    excess: Callable[[Tensor, Tensor], float]
    y: Tensor
    end: float
    step: float
    floor: float
    time: float = 0.0
    evaluations: int = 0
    previous: tuple[float, Tensor] | None = None
    stages: Tensor = field(init=False)
    _polynomial: Tensor | None = None
    _width: float = 0.0

    def __post_init__(self) -> None:
        self.stages = self.y.new_empty((7, self.y.numel()))
        self.stages[0] = self._rate(self.y)
        kwargs = {"dtype": self.y.dtype, "device": self.y.device}
        self._rows = [torch.tensor(row, **kwargs) for row in STAGES]
        self._error = torch.tensor(ERROR, **kwargs)
        self._interpolant = torch.tensor(INTERPOLANT, **kwargs)

    def _rate(self, y: Tensor) -> Tensor:
        self.evaluations += 1
        return self.rate(y)

    def advance(self, time: float, limit: float) -> Tensor | None:
        """Return y at `time`, or None once more than `limit` evaluations were taken."""
        while self.time < time:
            if self.evaluations > limit:
                return None
            self._step()
        return self._at(time)

    def _step(self) -> None:
        """Take one accepted step; `stages` then belong to it."""
        if self.previous is not None:
            self.stages[0] = self.stages[6]
        while True:
            # The last step must end exactly at the end, and not leave a sliver behind it.
            last = self.time + 1.01 * self.step >= self.end
            h = self.end - self.time if last else self.step
            for number, row in enumerate(self._rows, start=1):
                y = torch.addmv(self.y, self.stages[:number].T, row, alpha=h)
                self.stages[number] = self._rate(y)
            excess = self.excess(y, h * (self._error @ self.stages))
            if excess <= 1.0 or (h <= self.floor and self._is_stable(y, h)):
                break
            # At the floor only instability is left as a reason to go below it.
            self.step = max(h * _factor(excess), self.floor if h > self.floor else 0.0)
            if h < 1e-12 * self.floor:
                raise FloatingPointError("the right side is not finite however small the step")
        self.previous, self._polynomial, self._width = (self.time, self.y), None, h
        self.time, self.y = self.end if last else self.time + h, y
        self.step = max(h * _factor(excess), min(h, self.floor))

    def _is_stable(self, y: Tensor, h: float) -> bool:
        """Whether the rate changed by less than the step could explain: h ‖Δy'‖ ≤ ‖Δy‖."""
        change = torch.linalg.vector_norm(self.stages[6] - self.stages[0])
        return bool(h * change <= torch.linalg.vector_norm(y - self.y))

    def _at(self, time: float) -> Tensor:
        if self.previous is None or time == self.time:
            return self.y
        start, y = self.previous
        if self._polynomial is None:
            self._polynomial = self.stages.T @ self._interpolant
        x = (time - start) / self._width
        powers = self.y.new_tensor([x, x**2, x**3, x**4])
        return torch.addmv(y, self._polynomial, powers, alpha=self._width)


def _factor(excess: float) -> float:
    """Return by how much the next step may differ; a tenth where the error is not finite."""
    if not math.isfinite(excess):
        return 0.1
    return GROW if excess == 0.0 else min(GROW, max(SHRINK, SAFETY * excess**-0.2))
