"""Right sides with known solutions, for the integrators: many paths of one system at once."""

import copy
import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from lazycore.engine.steppers.path import SAFETY, Stepper


def exact_pendulum(time: float) -> Tensor:
    """Return the pendulum from (1, 0) at `time`, to about 1e-13."""
    solved = solve_ivp(
        lambda _, y: [y[1], -math.sin(y[0])],
        (0.0, time),
        [1.0, 0.0],
        method="DOP853",
        rtol=1e-13,
        atol=1e-14,
    )
    return torch.from_numpy(solved.y[:, -1])


def states(stepper: Stepper, times: Sequence[Sequence[float]]) -> list[list[Tensor]]:
    """Return the states of every path at its times, as far as it came."""
    found: list[list[Tensor]] = [[] for _ in times]

    def pass_by(row: int) -> None:
        wanted, path = times[row], stepper.paths[row]
        while len(found[row]) < len(wanted) and wanted[len(found[row])] <= path.time:
            found[row].append(stepper.at(row, wanted[len(found[row])]))

    for row in range(len(times)):
        pass_by(row)
    for row in stepper.steps():
        pass_by(row)
    return found


class Batch:
    """y' = rate(y), row by row; a step is judged by its error against a tolerance of the row.

    tolerance: per row; None judges every step as one that leaves the step size as it is, or
    as `excess` times too long and stable. wall: the right side of a row is not finite where
    its first coordinate is below. order: of the method's estimate.
    """

    def __init__(
        self,
        count: int,
        head: int,
        *,
        order: int = 4,
        tolerance: Sequence[float] | None = None,
        excess: float | None = None,
        known_radius: Sequence[float] | None = None,
        wall: Sequence[float] | None = None,
    ) -> None:
        self.rows, self.head = list(range(count)), head
        self.tolerance, self._wall = tolerance, wall or [-math.inf] * count
        self._radius = known_radius or [0.0] * count
        self._excess = SAFETY ** (order + 1) if excess is None else excess
        self.calls, self.accepted = [0] * count, [0] * count
        self.errors: list[list[float]] = [[] for _ in range(count)]

    def rate(self, y: Tensor) -> Tensor:
        """Return y' of the selected rows, or of their first `head` coordinates."""
        raise NotImplementedError

    @property
    def known_radius(self) -> np.ndarray:
        return np.array([self._radius[row] for row in self.rows])

    def select(self, rows: Sequence[int]) -> "Batch":
        part = copy.copy(self)
        part.rows = [self.rows[row] for row in rows]
        return part

    def first(self, count: int) -> "Batch":
        return self.select(range(count))

    def gradient(self, y: Tensor) -> tuple[Tensor, Tensor]:
        return self.head_gradient(y), y

    def head_gradient(self, y: Tensor) -> Tensor:
        assert len(y) == len(self.rows)
        for row in self.rows:
            self.calls[row] += 1
        wall = y.new_tensor([self._wall[row] for row in self.rows])
        return torch.where((y[:, 0] < wall)[:, None], math.nan, -self.rate(y))

    def judge(self, y: Tensor, error: Tensor, known: Tensor) -> tuple[np.ndarray, np.ndarray]:
        assert torch.equal(known[:, :1].nan_to_num(), y[:, :1].nan_to_num())
        sizes = self._sizes = error.norm(dim=1).numpy()
        if self.tolerance is None:
            excess = np.where(np.isfinite(sizes), self._excess, math.nan)
            return excess, np.isfinite(sizes)
        allowed = np.array([self.tolerance[row] for row in self.rows])
        return sizes / allowed, np.zeros(len(sizes), bool)

    def accept(self, number: int) -> None:
        self.accepted[self.rows[number]] += 1
        self.errors[self.rows[number]].append(float(self._sizes[number]))


class Pendulum(Batch):
    """y'' = −sin y, the same for every row."""

    def __init__(self, count: int = 1, **options) -> None:
        super().__init__(count, 2, **options)

    def rate(self, y: Tensor) -> Tensor:
        return torch.stack([y[:, 1], -torch.sin(y[:, 0])], dim=1)


class Decay(Batch):
    """y' = −λ y, with rates λ of each row's own."""

    def __init__(
        self, rates: Sequence[Sequence[float]], head: int | None = None, **options
    ) -> None:
        super().__init__(len(rates), len(rates[0]) if head is None else head, **options)
        self._rates = torch.tensor(rates, dtype=torch.float64)

    def rate(self, y: Tensor) -> Tensor:
        return -self._rates[self.rows, : y.shape[1]] * y
