"""How many states of a run are looked at together, and how long the first may wait for the last.

What is measured of many states at once passes the points, and their kernel, through memory once;
yet a long run is to be seen growing, and many states of a large network fill the memory.
"""

from lazycore.budget import FLOPS_PER_SECOND, SECONDS_PER_CALL
from lazycore.problem import Problem

MOST, NUMBERS = 16, 2**22
"""States at once, at most, and numbers of one kind (weights, hidden units) that they may have."""

SECONDS = 1.0
"""How long they wait by the counts of `budget`, which take a machine for slow: a tenth of it."""


def at_once(problem: Problem) -> int:
    """Return how many states of this run are looked at together, at most."""
    p, n = problem.w0.numel(), len(problem.train)
    units = sum(block.shape[0] for block in problem.network.blocks)
    return max(1, min(MOST, NUMBERS // max(p, n * units)))


def patience(problem: Problem) -> float:
    """Return the evaluations of the gradient that fill about a tenth of a second."""
    work = 12.0 * len(problem.train) * problem.w0.numel()
    return SECONDS / (SECONDS_PER_CALL + work / FLOPS_PER_SECOND)
