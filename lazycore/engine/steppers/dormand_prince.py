"""The Runge–Kutta pair of orders 5 and 4 for flows that are not stiff.

Dormand & Prince (1980), "A family of embedded Runge–Kutta formulae", J. Comput. Appl. Math.
6:19–26, with the quartic interpolant of Shampine (1986), "Some practical Runge–Kutta
formulas", Math. Comp. 46:135–150.
"""

from typing import Any

import torch
from torch import Tensor

from lazycore.engine.steppers.path import Stepper, System, stacked

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
"""y(t + xh) = y − h Σ_i k_i Σ_j INTERPOLANT[i][j] x^{j+1}."""


class DormandPrince(Stepper):
    """Paths of y' = −G(y), advanced by Dormand–Prince steps; see `Stepper`."""

    order = 4
    local_share = 0.05

    def _begin(self) -> None:
        rows = range(len(self.paths))
        self._first: list[Tensor] = list(self.system.gradient(self._states(rows))[0])
        self._count(rows, 1)
        self._stages: list[Tensor | None] = [None] * len(self.paths)
        self._polynomials: list[Tensor | None] = [None] * len(self.paths)

    def _attempt(
        self, system: System, rows: list[int], h: list[float]
    ) -> tuple[Tensor, Tensor, Any]:
        """Return y(t + h) of order 5, its difference to the solution of order 4, and what
        the system knows of it."""
        y, known = self._states(rows), None
        width = y.new_tensor(h)[:, None, None]
        stages = self._tried = y.new_empty((len(rows), 7, y.shape[1]))
        stages[:, 0] = stacked([self._first[row] for row in rows])
        now = y
        for number, row in enumerate(STAGES, start=1):
            weights = -width * y.new_tensor(row)
            now = torch.baddbmm(y[:, None], weights, stages[:, :number])[:, 0]
            stages[:, number], known = system.gradient(now)
        self._count(rows, 6)
        return now, torch.bmm(-width * y.new_tensor(ERROR), stages)[:, 0], known

    def _accepted(self, row: int, i: int) -> None:
        self._stages[row], self._polynomials[row] = self._tried[i], None
        self._first[row] = self._tried[i, 6]

    def _interpolate(self, row: int, x: float) -> Tensor:
        path, stages = self.paths[row], self._stages[row]
        assert path.previous is not None and stages is not None
        polynomial = self._polynomials[row]
        if polynomial is None:
            polynomial = self._polynomials[row] = stages.T @ stages.new_tensor(INTERPOLANT)
        powers = stages.new_tensor([x, x**2, x**3, x**4])
        return torch.addmv(path.previous[1], polynomial, powers, alpha=-path.width)
