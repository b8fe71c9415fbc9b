"""When a network begins to move: long before its linearisation where its output scale is small."""

import torch

from lazycore.engine.problem.problem import Problem
from lazycore.engine.problem.stacked import stack
from lazycore.engine.steppers.pair import natural_time

CHANGED = 0.1
"""How much of itself the network's gradient changes by, at most, within its onset."""


def onset(problem: Problem, end: float) -> float:
    """Return a time in which the network's gradient changes by less than a tenth of itself.

    That of the linearised model where it is shorter: a network of small output scale moves
    long before. Cost: a few gradients.
    """
    unit = min(natural_time(problem, end), end)
    lanes = stack([problem])
    here = lanes.gradient(torch.zeros_like(problem.w0)[None])[0]
    size = float(torch.linalg.vector_norm(here))
    for _ in range(100):
        change = float(torch.linalg.vector_norm(lanes.gradient(-unit * here)[0] - here))
        if not size or change <= CHANGED * size:
            break
        unit *= 0.3
    return unit
