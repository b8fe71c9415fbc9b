"""Adaptive steps that cannot stall, of many paths at once: what the Runge–Kutta methods share.

All paths try a step together, each of its own length; each is accepted, repeated or ended by
itself. A step whose error is too large is made smaller, but not below a floor: where the
right side has kinks no step size meets a tolerance, and what is accepted there shows in the
error that the run reports.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

SAFETY, SHRINK, GROW = 0.9, 0.2, 5.0

ROUGH = 10.0
"""Excess of an accepted step above which the polynomial through it may swing between its
ends (a loss that falls from end to end rose by 5 % within): a straight line does not."""

SMALLEST = 1e-3
"""Excess below which a damped step is not told from none."""

UNSTABLE = 30.0
"""Excess of a failed damped step above which its method looks again at what may have spoiled it."""


class System(Protocol):
    """The right side of y' = −G(y) for every path, and the judge of its steps."""

    @property
    def head(self) -> int:
        """Coordinates, the first ones, whose largest rate of decay is not known."""
        ...

    @property
    def known_radius(self) -> np.ndarray:
        """A bound on the rates of decay of all the others, per path."""
        ...

    def select(self, rows: Sequence[int]) -> "System":
        """Return the system of some of the paths only."""
        ...

    def first(self, count: int) -> "System":
        """Return the system of the first paths, which shares their memory."""
        ...

    def gradient(self, y: Tensor) -> tuple[Tensor, Any]:
        """Return G(y), (r, D), and what `judge` wants to know of y."""
        ...

    def head_gradient(self, y: Tensor) -> Tensor:
        """Return the first `head` coordinates of G, which know no others."""
        ...

    def judge(self, y: Tensor, error: Tensor, known: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return, per path, the estimated error of a step to y divided by what is allowed,
        and whether it is at least a stable one. Waits for the device, once."""
        ...

    def accept(self, number: int) -> None:
        """Take note that the step of this path, judged last, was taken."""
        ...


@dataclass(eq=False)
class Path:
    """One solution of y' = −G(y), as far as it has been advanced.

    end: no step goes beyond. step: the next one to try. floor: time → step at which whatever
    descends is accepted; growth: the same as a share of the time, for a method whose steps can
    grow without limit. limit: evaluations after which it ends. ended: why it has.
    previous: time and state at the start of the last step. damped: whether a step follows the
    last two errors, and does not grow once it has failed; retried: whether the last one has.
    """

    y: Tensor
    end: float
    step: float
    floor: Callable[[float], float]
    limit: float = math.inf
    growth: float = 0.0
    time: float = 0.0
    evaluations: int = 0
    ended: str | None = None
    width: float = 0.0
    excess: float = 0.0
    previous: tuple[float, Tensor] | None = None
    damped: bool = False
    retried: bool = False

    def end_if_due(self) -> None:
        """End at the end of time, or on the limit of evaluations."""
        if self.time >= self.end:
            self.ended = "end"
        elif self.evaluations > self.limit:
            self.ended = "limit"


class Advancing(Protocol):
    """Paths on their way, by one method or by whichever each needs."""

    paths: list[Path]

    def steps(self) -> Iterator[int]:
        """Yield the number of a path whenever it has taken a step, or has ended."""
        ...

    def at(self, row: int, time: float) -> Tensor:
        """Return y of this path at a time within its last step."""
        ...


class Stepper:
    """Advances paths of one system; a method says what one attempt is, and interpolates."""

    order = 0
    """Order of the estimate's method: the error of a step falls as its power order + 1."""

    local_share = 0.0
    """Error allowed per step, as a share of the tolerance for the whole run."""

    def __init__(self, system: System, paths: Sequence[Path]) -> None:
        self.system, self.paths = system, list(paths)
        self._selected: tuple[list[int], System] | None = None
        self._begin()

    def steps(self) -> Iterator[int]:
        """Yield the number of a path whenever it has taken a step, or has ended."""
        rows = list(range(len(self.paths)))
        while rows:
            # A path that waits for the others of its batch to try would only hold them up.
            rows = self._ordered(rows)
            h, last = self._widths(rows)
            system = self._system(rows)
            y, error, known = self._attempt(system, rows, h)
            excess, descends = system.judge(y, error, known)
            for i, row in enumerate(rows):
                if self._decide(row, h[i], last[i], float(excess[i]), bool(descends[i]), y[i]):
                    system.accept(i)
                    self._accepted(row, i)
                    self.paths[row].end_if_due()
                    yield row
                elif self.paths[row].ended:
                    yield row
            rows = [row for row in rows if self._goes_on(row)]

    def at(self, row: int, time: float) -> Tensor:
        """Return y of this path at a time within its last step."""
        path = self.paths[row]
        if path.previous is None or time >= path.time:
            return path.y
        share = (time - path.previous[0]) / path.width
        if path.excess > ROUGH:
            return torch.lerp(path.previous[1], path.y, share)
        return self._interpolate(row, share)

    def _goes_on(self, row: int) -> bool:
        return self.paths[row].ended is None

    def _system(self, rows: list[int]) -> System:
        if self._selected is None or self._selected[0] != rows:
            whole = rows == list(range(len(self.paths)))
            self._selected = rows, self.system if whole else self.system.select(rows)
        return self._selected[1]

    def _widths(self, rows: list[int]) -> tuple[list[float], list[bool]]:
        """Return the steps to try, and which of them reach the end."""
        h, last = [], []
        for row in rows:
            path = self.paths[row]
            step = min(path.step, self._longest(row))
            # The last step must end exactly at the end, and not leave a sliver behind it.
            last.append(path.time + 1.01 * step >= path.end)
            h.append(path.end - path.time if last[-1] else step)
        return h, last

    def _decide(
        self, row: int, h: float, last: bool, excess: float, descends: bool, y: Tensor
    ) -> bool:
        """Take the step or make the next one smaller; a path that finds none ends."""
        path = self.paths[row]
        floor = self._floor(path)
        stuck = path.time + h <= path.time
        if stuck or not (excess <= 1.0 or (h <= floor and descends)):
            # At the floor only instability is left as a reason to go below it.
            path.step = max(h * self._factor(excess), floor if h > floor else 0.0)
            path.retried = True
            if not (path.damped and excess <= UNSTABLE and descends):
                self._rejected(row)
            if stuck or h < 1e-12 * floor:
                path.ended = "not finite"
            elif path.evaluations > path.limit:
                path.ended = "limit"
            return False
        factor = self._damped(path, excess) if path.damped else self._factor(excess)
        path.previous, path.width, path.excess = (path.time, path.y), h, excess
        path.time, path.y = path.end if last else path.time + h, y
        path.step, path.retried = max(h * factor, min(h, floor)), False
        return True

    def _damped(self, path: Path, excess: float) -> float:
        """Return by how much the next step may differ, the error before this one considered too.

        Gustafsson (1991), "Control theoretic techniques for stepsize selection in explicit
        Runge–Kutta methods", ACM Trans. Math. Softw. 17:533–554, with exponents 0.7 and 0.4.
        """
        factor = self._factor(excess)
        if path.previous is not None and 0.0 < excess < math.inf and path.excess > 0.0:
            now, before = max(excess, SMALLEST), min(max(path.excess, SMALLEST), 1.0)
            change = (now**-0.7 * before**0.4) ** (1.0 / (self.order + 1))
            factor = min(GROW, max(SHRINK, SAFETY * change))
        return min(1.0, factor) if path.retried else factor

    def _factor(self, excess: float) -> float:
        """Return by how much the next step may differ; a tenth where the error is not finite."""
        if not math.isfinite(excess):
            return 0.1
        if excess == 0.0:
            return GROW
        return min(GROW, max(SHRINK, SAFETY * excess ** (-1.0 / (self.order + 1))))

    def _floor(self, path: Path) -> float:
        """Return the step at which whatever descends is accepted."""
        return path.floor(path.time)

    def _states(self, rows: Sequence[int]) -> Tensor:
        return stacked([self.paths[row].y for row in rows])

    def _count(self, rows: Sequence[int], evaluations: int) -> None:
        for row in rows:
            self.paths[row].evaluations += evaluations

    def _ordered(self, rows: list[int]) -> list[int]:
        """Return the rows in the order in which the method wants them."""
        return rows

    def _longest(self, row: int) -> float:
        """Return the longest step the method can take."""
        return math.inf

    def _begin(self) -> None:
        raise NotImplementedError

    def _attempt(
        self, system: System, rows: list[int], h: list[float]
    ) -> tuple[Tensor, Tensor, Any]:
        """Return y(t + h), the estimate of its error and what the system knows of it."""
        raise NotImplementedError

    def _accepted(self, row: int, i: int) -> None:
        """Keep of the i-th of the last attempt what the next step and the interpolant need."""
        raise NotImplementedError

    def _rejected(self, row: int) -> None:
        """Look again at what may have spoiled the step."""

    def _interpolate(self, row: int, x: float) -> Tensor:
        raise NotImplementedError


def stacked(parts: Sequence[Tensor]) -> Tensor:
    """Return the parts along a first axis; one part alone is not copied."""
    return parts[0][None] if len(parts) == 1 else torch.stack(list(parts))
