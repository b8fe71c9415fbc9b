"""What a comparison will take, by trying its parts: a pass, a gradient, the kernel's rows."""

import time
from dataclasses import dataclass

import torch

from lazycore.config import cost as budgets
from lazycore.config.moments import RECORDS
from lazycore.engine.measures.recording import RARELY, SPARSE_EVERY
from lazycore.engine.networks.kernel_cost import affordable_points
from lazycore.engine.problem.problem import Problem
from lazycore.errors import BudgetError

ADAPTIVE = 6000
"""Evaluations that are told of a flow; it is refused by its own count of them."""


@dataclass(frozen=True)
class Cost:
    """Seconds on one core: of one step of both models and a twin, of measuring, of all kernels."""

    step: float
    measuring: float
    kernels: float

    def seconds(self, steps: int | None) -> float:
        """Return those of a run of so many steps; None for a flow."""
        return (steps or ADAPTIVE) * self.step + self.measuring + self.kernels


def estimated(problem: Problem, records: int | None) -> Cost:
    """Return what a run on this problem costs, from trying each part once or twice.

    records: times that are recorded; None for as many as there are by default.
    """
    train, w0 = problem.train, problem.w0
    gradient = min(_took(lambda: _gradient(problem)) for _ in range(2))
    features = _took(lambda: train.features)
    count = records or RECORDS
    each = SPARSE_EVERY if problem.network.structured else RARELY
    measured = affordable_points(problem.network, w0, train.x, most=500)
    rows = measured * problem.targets.shape[1]
    share = measured / len(train)
    products = 2.0 * rows**2 * w0.numel() / budgets.FLOPS_PER_SECOND
    kernels = (2 + count // each) * (features * share + products)
    tested = 0 if problem.test is None else len(problem.test)
    measuring = count * gradient * (1.0 + tested / len(train))
    return Cost(3.0 * gradient + budgets.SECONDS_PER_CALL, measuring, kernels)


def check(cost: Cost, steps: int | None, points: int, budget: budgets.Budget) -> None:
    """Raise `BudgetError`, with what to lower, where a run is over the budget."""
    fixed = cost.measuring + cost.kernels
    if fixed > budget.seconds:
        raise BudgetError(
            f"measuring the tangent kernel of {points:,} points would take about "
            f"{budgets.duration(fixed)}, the limit is {budgets.duration(budget.seconds)}: give "
            f"fewer points x, fewer record, or budget=None."
        )
    seconds = cost.seconds(steps)
    if steps is not None and seconds > budget.seconds:
        fit = max(1, int((budget.seconds - fixed) / cost.step))
        raise BudgetError(
            f"steps={steps:,} would take about {budgets.duration(seconds)}, the limit is "
            f"{budgets.duration(budget.seconds)}: give at most {fit:,} or budget=None."
        )


def _gradient(problem: Problem) -> None:
    outputs, pull = problem.network.pullback(problem.w0, problem.train.x)
    pull(torch.ones_like(outputs))


def _took(work) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
