"""How many states of a run are looked at together, and how long the first may wait for the last.

What is measured of many states at once passes the points, and their kernel, through memory once;
yet a long run is to be seen growing, and many states of a large network fill the memory.
"""

import math

from lazycore.config.cost import FLOPS_PER_SECOND, SECONDS_PER_CALL
from lazycore.engine.problem.problem import Problem

MOST, NUMBERS = 16, 2**22
"""States at once, at most, and numbers of one kind that they may have: weights, or hidden units
and outputs on the training or test points."""

SECONDS = 1.0
"""Work after which they wait no longer. By the counts of `budget`, which take a machine for slow:
it is some tenth of a second."""


def states_at_once(problem: Problem) -> int:
    """Return how many states of this run are looked at together, at most."""
    points = max(len(part) for part in (problem.train, problem.test) if part is not None)
    units = sum(math.prod(block.shape[:1]) for block in problem.network.blocks)
    return max(1, min(MOST, NUMBERS // max(problem.w0.numel(), points * units)))


def longest_wait(problem: Problem) -> float:
    """Return the evaluations of the gradient after which no state of this run waits any longer."""
    work = 12.0 * len(problem.train) * problem.w0.numel()
    return SECONDS / (SECONDS_PER_CALL + work / FLOPS_PER_SECOND)
