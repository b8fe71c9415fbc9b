"""Descent of the population loss: every mini-batch is drawn afresh, no point is seen twice.

The training points of such a run only measure it. Both models see the same batches.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from lazycore.config import spec
from lazycore.config.fields import BATCH_SEED, BATCH_SIZE, STEP_SIZE, STEPS
from lazycore.config.spec import Field, Spec, Values
from lazycore.errors import ConfigError
from lazycore.tasks import Streams

if TYPE_CHECKING:
    from torch import Tensor

    from lazycore.config.moments import Moment
    from lazycore.engine.problem.problem import Points, Problem

AT_ONCE = 50
"""Batches that are drawn in one call."""

FIRST_LAYER_RATE = Field(
    name="first_layer_rate",
    default=1.0,
    low=1e-6,
    high=1e6,
    log=True,
    meaning="factor on the step of the first layer's weights",
)


def _check(values: Values) -> None:
    endless = {n: f for n, f in spec.collect("task").items() if f.SPEC.facts.get("endless")}
    if values["task"] not in endless:
        raise ConfigError(
            f"task={values['task']} has no end of points to draw, which dynamics=population "
            f"needs: give task={' or '.join(endless)}, or dynamics=sgd."
        )
    if spec.find("loss", values["loss"]).SPEC.facts["classifies"]:
        raise ConfigError(
            f"loss={values['loss']} turns targets into labels by the median of a training set, "
            "which dynamics=population does not have: give loss=square."
        )


SPEC = Spec(
    name="population",
    meaning="mini-batches of fresh points at every step: descent of the population loss",
    reads=(STEPS, STEP_SIZE, FIRST_LAYER_RATE, BATCH_SIZE, BATCH_SEED),
    check=_check,
    facts={"evaluations": lambda values: values["steps"]},
)


def batches(values: Values) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield fresh (x (n, d), y (n,)) without end, of the problem that `data_seed` draws."""
    task, size = spec.find("task", values["task"]), values["batch_size"]
    rng = np.random.default_rng(values["batch_seed"])
    many = {**values, "n_train": AT_ONCE * size, "n_test": 0}
    while True:
        problem = Streams.from_seed(values["data_seed"]).problem
        drawn = task.sample(many, Streams(problem=problem, train=rng, test=rng, noise=rng))
        y = drawn.y_train + values["noise"] * rng.standard_normal(len(drawn.y_train))
        for first in range(0, len(y), size):
            yield drawn.x_train[first : first + size], y[first : first + size]


def trajectories(
    problems: "Sequence[Problem]",
    values: Sequence[Values],
    records: Sequence[np.ndarray] | None = None,
    limits: Sequence[float] | None = None,
) -> "Iterator[tuple[int, Moment]]":
    """Yield (lane, moment) at about 200 steps, one lane after another."""
    for lane, (problem, value) in enumerate(zip(problems, values, strict=True)):
        for moment in _trajectory(problem, value, None if records is None else records[lane]):
            yield lane, moment


def _trajectory(
    problem: "Problem", values: Values, record: np.ndarray | None
) -> "Iterator[Moment]":
    """Yield v and v̄ of one run; g is Dhᵀ∇R on the batch, P the factors on the step:

    v ← v − η P g(v),    v̄ ← v̄ − η P ḡ(v̄)
    """
    import torch

    from lazycore.config.moments import Moment, Position, recorded_steps
    from lazycore.engine.linear.tangent import ParameterSpace
    from lazycore.engine.paths.descent import Descent, gradient_on, tangent_gradient_on
    from lazycore.engine.paths.twins import TwinDescent

    eta = values["step_size"]
    rates = eta * _rates(problem, values["first_layer_rate"])
    space = ParameterSpace(problem, problem.train.features)
    v, v_bar = torch.zeros_like(problem.w0), torch.zeros_like(problem.w0, dtype=space.dtype)
    beside = TwinDescent(
        problem, lambda one: Descent(partial(gradient_on, one), torch.zeros_like(v), rates, 0.0)
    )
    stream, done = batches(values), 0
    for step in recorded_steps(values["steps"]) if record is None else record:
        for _ in range(int(step) - done):
            points = _points(problem, *next(stream))
            v = v - rates * gradient_on(problem, v, points)
            beside.step(points, rates)
            v_bar = v_bar - rates * tangent_gradient_on(problem, v_bar, points)
        done = int(step)
        position = Position(space, v_bar)
        yield Moment(
            time=done * eta,
            progress=done / values["steps"],
            nonlinear=v,
            tangent=position,
            exact=position,
            steps=done,
            rounding=beside.look(v),
        )


def _rates(problem: "Problem", first_layer: float) -> "Tensor":
    """Return the factor on the step of each weight, (p,)."""
    rates = problem.w0.new_ones(problem.w0.shape)
    for block in problem.network.blocks:
        if block.layer == problem.layers[0]:
            rates[block.slice] = first_layer
    return rates


def _points(problem: "Problem", x: np.ndarray, y: np.ndarray) -> "Points":
    like = problem.train.x
    return replace(problem.train, x=like.new_tensor(x), y=like.new_tensor(y[:, None]))
