"""Steps of the stabilised method for one small problem that may know the time: y' = −slope(t, y).

What `TangentSteps` has left to solve within each of its own.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lazycore.engine.steppers.chebyshev import LARGEST_STAGES, coefficients, stages_for

SMALLEST = 1e-9
"""Shortest inner step, as a share of the whole one."""

Slope = Callable[[float, Tensor], Tensor]
"""(time within the step, a) → minus the velocity of a."""


@dataclass(frozen=True, eq=False)
class Node:
    """A state on the way of the inner problem: its time, a (q,) and minus its velocity."""

    time: float
    a: Tensor
    slope: Tensor


def followed(
    slope: Slope,
    start: Node,
    h: float,
    rate: float,
    width: float,
    excess: Callable[[Tensor], float],
) -> tuple[list[Node], float]:
    """Return the states on the way to start + h, and the width of the step to begin with next.

    rate: a bound on the rates of decay. excess: error of a step → how much too large it is.
    """
    nodes, end = [start], start.time + h
    while nodes[-1].time < end:
        here, left = nodes[-1], end - nodes[-1].time
        tried = min(width, 0.65 * LARGEST_STAGES**2 / rate)
        last = 1.01 * tried >= left
        tried = left if last else tried
        there = step(slope, here, tried, rate, end if last else None)
        size = excess(0.8 * (here.a - there.a) - 0.4 * tried * (here.slope + there.slope))
        # What is not finite goes on to whoever judges the whole step.
        if taken := not size > 1.0 or tried < SMALLEST * h:
            nodes.append(there)
        if not (taken and last):
            width = tried * min(5.0, max(0.2, 0.9 * max(1e-12, size) ** (-1.0 / 3.0)))
    return nodes, width


def step(slope: Slope, node: Node, h: float, rate: float, end: float | None) -> Node:
    """Return the state after one step of the stabilised method of `_chebyshev`, up to `end`."""
    first, table = coefficients(stages_for(h * rate))
    before, now = torch.zeros_like(node.a), node.slope * (-first * h)
    earlier, time = 0.0, first * h
    for mu, nu, mu_tilde, gamma in table:
        gradient = slope(node.time + time, node.a + now)
        after = now * mu
        after.add_(before, alpha=nu).add_(gradient, alpha=-h * mu_tilde)
        after.add_(node.slope, alpha=-h * gamma)
        earlier, time = time, mu * time + nu * earlier + (mu_tilde + gamma) * h
        before, now = now, after
    time = node.time + h if end is None else end
    return Node(time, node.a + now, slope(time, node.a + now))


def between(nodes: Sequence[Node], time: float) -> Tensor:
    """Return a at a time between these: the cubic with their values and slopes."""
    i = min(bisect_right([node.time for node in nodes], time), len(nodes) - 1)
    left, right = nodes[i - 1], nodes[i]
    h = right.time - left.time
    x = (time - left.time) / h
    a = torch.lerp(left.a, right.a, x * x * (3.0 - 2.0 * x))
    a.sub_(left.slope, alpha=h * x * (1.0 - x) ** 2)
    return a.sub_(right.slope, alpha=h * x * x * (x - 1.0))
