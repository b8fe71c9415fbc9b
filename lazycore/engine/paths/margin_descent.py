"""Gradient descent of both models up to the first step at which each has met its margins."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from lazycore.config.moments import MODELS, Moment, Position
from lazycore.config.spec import Values
from lazycore.engine.linear.tangent import tangent_space
from lazycore.engine.paths.descent import NetworkDescent, tangent_descent
from lazycore.engine.paths.twins import Twins
from lazycore.engine.problem.problem import Problem
from lazycore.engine.problem.stacked import stack
from lazycore.engine.steppers.crossing import excess


def until_margins(
    problems: Sequence[Problem], values: Sequence[Values], steps: np.ndarray
) -> Iterator[tuple[int, Moment]]:
    """Yield (lane, moment) at these steps, and where a model has met its margins.

    Every step is looked at. A network at its end waits there for the others.
    """
    etas, momenta = [v["step_size"] for v in values], [v["momentum"] for v in values]
    spaces = [tangent_space(problem) for problem in problems]
    lanes = stack(problems)
    networks = NetworkDescent(lanes, problems[0].w0, etas, momenta)
    tangents = [
        tangent_descent(space, eta, momentum)
        for space, eta, momentum in zip(spaces, etas, momenta, strict=True)
    ]
    twins = Twins(problems, values)
    spreads = twins.spreads(torch.zeros_like(lanes.start))
    margin, last, recorded = problems[0].loss.SPEC.facts["margin"], int(steps[-1]), set(steps)
    met: list[frozenset[str]] = [frozenset() for _ in problems]
    for done in range(last + 1):
        slope, change = networks.slope()
        lowest = lanes.lowest(change).tolist()
        if done in recorded:
            spreads = twins.spreads(change)
        for lane, (space, tangent) in enumerate(zip(spaces, tangents, strict=True)):
            if met[lane] == MODELS:
                continue
            problem, before = problems[lane], met[lane]
            if lowest[lane] >= margin and "nonlinear" not in before:
                met[lane] |= {"nonlinear"}
                networks.hold(lane)
                twins.hold(lane)
            if "linearized" not in before:
                outputs = problem.train.start + space.outputs(tangent.position)
                if excess(outputs, problem.targets, margin) >= 0.0:
                    met[lane] |= {"linearized"}
            if done in recorded or met[lane] != before:
                position = Position(space, tangent.position)
                progress = 1.0 if met[lane] == MODELS else done / last
                yield (
                    lane,
                    Moment(
                        time=done * etas[lane],
                        progress=progress,
                        nonlinear=networks.position[lane].clone(),
                        tangent=position,
                        exact=position,
                        steps=done,
                        met=met[lane],
                        rounding=spreads[lane].largest,
                    ),
                )
            if "linearized" not in met[lane]:
                tangent.step()
        if all(one == MODELS for one in met):
            return
        networks.move(slope)
        twins.advance(1)
