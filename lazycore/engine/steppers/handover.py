"""A method for as long as a path is made for it, the stabilised one from there on.

Dormand–Prince is left once a path is stiff, steps along the linearised flow once it is not lazy. A
network that learns features sharpens: its largest rate can rise by orders of magnitude above
that of its linearisation, by which the method was chosen at the start (docs/log/flow.md,
2026-11-27).
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from lazycore.engine.steppers.chebyshev import Chebyshev
from lazycore.engine.steppers.dormand_prince import STAGES, DormandPrince
from lazycore.engine.steppers.pair import Pair
from lazycore.engine.steppers.path import Path, Stepper
from lazycore.engine.steppers.tangent_steps import TangentSteps

NEAR = 2.0
"""Step times rate from which on stability is taken to limit a step. It is lost at 3.3, but the
rate is seen along one difference only, and a step that was refused for it is tried shorter."""

AT_LIMIT, CALM = 15, 6
"""Steps that near after which a path is stiff, and those below it, in a row, after which they
are counted anew: Hairer & Wanner (1996), Solving Ordinary Differential Equations II, IV.2."""

APART = [last - before for last, before in zip(STAGES[-1], (*STAGES[-2], 0.0), strict=True)]
"""What the arguments of the last two stages, both at t + h, are apart: weights of stages, × −h."""


class UntilStiff(DormandPrince):
    """Dormand–Prince steps of paths that leave once they are stiff."""

    def _begin(self) -> None:
        super()._begin()
        self._at_limit, self._calm = [0] * len(self.paths), [0] * len(self.paths)

    def is_stiff(self, row: int) -> bool:
        """Whether stability, not its error, has been what limits the steps of this path."""
        return self._at_limit[row] >= AT_LIMIT

    def _goes_on(self, row: int) -> bool:
        return super()._goes_on(row) and not self.is_stiff(row)

    def _accepted(self, row: int, i: int) -> None:
        super()._accepted(row, i)
        stages, norm = self._tried[i], torch.linalg.vector_norm
        # Step times rate, by how much G differs between these two arguments.
        reach = norm(stages[6] - stages[5]) / norm(stages.new_tensor(APART) @ stages[:6])
        if reach > NEAR:
            self._at_limit[row], self._calm[row] = self._at_limit[row] + 1, 0
        else:
            self._calm[row] += 1
            self._at_limit[row] *= self._calm[row] < CALM


class Handover:
    """The paths of a pair, by a method that they leave and the stabilised one from there on."""

    first: type[Stepper]
    local_share: float

    def __init__(self, pair: Pair, paths: Sequence[Path]) -> None:
        self.paths, self._pair = list(paths), pair
        self._first = self.first(pair, self.paths)
        self._moved_by: list[tuple[Stepper, int]] = [(self._first, i) for i in range(len(paths))]

    def steps(self) -> Iterator[int]:
        """Yield the number of a path whenever it has taken a step, or has ended."""
        yield from self._first.steps()
        left = [row for row, path in enumerate(self.paths) if path.ended is None]
        if not left:
            return
        pair = self._pair.select(left)
        pair.share = pair.share * (Chebyshev.local_share / self.local_share)
        later = Chebyshev(pair, [self.paths[row] for row in left])
        for number in later.steps():
            self._moved_by[left[number]] = later, number
            yield left[number]

    def at(self, row: int, time: float) -> Tensor:
        """Return y of this path at a time within its last step."""
        stepper, number = self._moved_by[row]
        return stepper.at(number, time)


class Sharpening(Handover):
    """Paths that are not stiff at first."""

    first, local_share = UntilStiff, DormandPrince.local_share


class Lazy(Handover):
    """Paths that are close to those of their linearisation at first."""

    first, local_share = TangentSteps, TangentSteps.local_share
