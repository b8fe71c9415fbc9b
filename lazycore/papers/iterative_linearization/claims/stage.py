"""A stage in closed form is its steps on the linear model."""

from collections.abc import Mapping

from lazycore.papers.claim import Check, Row
from lazycore.papers.iterative_linearization.claims._oracle import (
    SOURCE,
    jacobian,
    outputs,
    path,
    row,
    stepped,
)
from lazycore.results.run import RunResult


def _stage(results: Mapping[str, RunResult]) -> list[Row]:
    """A2: two stages in closed form, against their steps."""
    import torch

    steps, every = [499, 500, 999], 500
    problem, eta, states = path(steps, steps=1000, refresh_every=every)
    rows, v = [], torch.zeros_like(problem.w0)
    for stage, (step, state) in enumerate(((499, states[0]), (999, states[2])), start=1):
        u = stepped(problem, eta, v, step % every)
        rows.append(row(f"stage {stage}, 499 of K = 500 steps: weights", state.v - v - u))
        for part in ("train", "test"):
            points = getattr(problem, part)
            linear = outputs(problem, v, points) + jacobian(problem, v, points.x) @ u
            difference = getattr(state, part).reshape(-1) - linear
            rows.append(row(f"stage {stage}: outputs on the {part} points", difference))
        v = v + stepped(problem, eta, v, every)
        if stage == 1:
            rows.append(row("stage 1, all K = 500 steps: weights", states[1].v - v))
    return rows


CHECKS = (Check(name="iterative-linearization-stage", source=SOURCE, judge=_stage),)
