"""The Runge–Kutta pair of orders 5 and 4 for flows that are not stiff.

Dormand & Prince (1980), "A family of embedded Runge–Kutta formulae", J. Comput. Appl. Math.
6:19–26, with the quartic interpolant of Shampine (1986), "Some practical Runge–Kutta
formulas", Math. Comp. 46:135–150.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from lazycore.dynamics._steps import Controlled

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


@dataclass(eq=False)
class DormandPrince(Controlled):
    """The solution of y' = rate(y), advanced by Dormand–Prince steps; see `Controlled`."""

    order = 4
    _stages: Tensor = field(init=False)
    _first: Tensor = field(init=False)
    _polynomial: Tensor | None = None

    def __post_init__(self) -> None:
        self._first = self._rate(self.y)
        self._stages = self.y.new_empty((7, self.y.numel()))
        kwargs = {"dtype": self.y.dtype, "device": self.y.device}
        self._rows = [torch.tensor(row, **kwargs) for row in STAGES]
        self._error = torch.tensor(ERROR, **kwargs)
        self._interpolant = torch.tensor(INTERPOLANT, **kwargs)

    def _attempt(self, h: float) -> tuple[Tensor, Tensor]:
        """Return y(t + h) of order 5 and its difference to the solution of order 4."""
        self._stages[0] = self._first
        y = self.y
        for number, row in enumerate(self._rows, start=1):
            y = torch.addmv(self.y, self._stages[:number].T, row, alpha=h)
            self._stages[number] = self._rate(y)
        return y, h * (self._error @ self._stages)

    def _accepted(self) -> None:
        self._first, self._polynomial = self._stages[6].clone(), None

    def _interpolate(self, x: float) -> Tensor:
        if self._polynomial is None:
            self._polynomial = self._stages.T @ self._interpolant
        powers = self.y.new_tensor([x, x**2, x**3, x**4])
        return torch.addmv(self.previous_state[1], self._polynomial, powers, alpha=self.width)
