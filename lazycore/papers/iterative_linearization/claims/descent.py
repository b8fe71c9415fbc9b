"""Stages of one step are gradient descent."""

from collections.abc import Mapping

from lazycore.papers.claim import Check, Row
from lazycore.papers.iterative_linearization.claims._oracle import (
    SOURCE,
    path,
    row,
    stepped,
)
from lazycore.results.run import RunResult


def _descent(results: Mapping[str, RunResult]) -> list[Row]:
    """A1: stages of one step, against steps on the network by an explicit Jacobian."""
    import torch

    steps = 200
    problem, eta, states = path([steps], steps=steps, refresh_every=1)
    v = torch.zeros_like(problem.w0)
    for _ in range(steps):
        v = v + stepped(problem, eta, v, 1)
    return [row(f"K = 1 after {steps} steps of gradient descent: weights", states[0].v - v)]


CHECKS = (Check(name="iterative-linearization-descent", source=SOURCE, judge=_descent),)
