"""Mini-batch gradient descent: the same batches for both models, momentum if wanted."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lazycore.errors import ConfigError
from lazycore.fields import BATCH_SEED, BATCH_SIZE, MOMENTUM, STEP_SIZE, STEPS
from lazycore.spec import Spec, Values

if TYPE_CHECKING:
    from lazycore.moments import Moment
    from lazycore.problem import Problem


def _check(values: Values) -> None:
    if values["batch_size"] > values["n_train"]:
        raise ConfigError(
            f"batch_size={values['batch_size']} is not allowed: there are "
            f"n_train={values['n_train']} points; give at most {values['n_train']}."
        )


SPEC = Spec(
    name="sgd",
    meaning="mini-batch gradient descent, the same batches for both models",
    reads=(STEPS, STEP_SIZE, MOMENTUM, BATCH_SIZE, BATCH_SEED),
    check=_check,
    facts={"evaluations": lambda values: values["steps"]},
)


def batches(n: int, size: int, seed: int) -> Iterator[np.ndarray]:
    """Yield index sets without end: each pass over the points is a fresh permutation.

    The last, incomplete batch of a pass is left out, so every step averages as many points.
    """
    rng = np.random.default_rng(seed)
    while True:
        order = rng.permutation(n)
        for start in range(0, n - size + 1, size):
            yield order[start : start + size]


def trajectories(
    problems: "Sequence[Problem]",
    values: Sequence[Values],
    records: Sequence[np.ndarray] | None = None,
    limits: Sequence[int] | None = None,
) -> "Iterator[tuple[int, Moment]]":
    """Yield (lane, moment) at about 200 steps, one lane after another: each has batches of
    its own, the same for both models."""
    for lane, (problem, value) in enumerate(zip(problems, values, strict=True)):
        for moment in _trajectory(problem, value, None if records is None else records[lane]):
            yield lane, moment


def _trajectory(
    problem: "Problem", values: Values, record: np.ndarray | None
) -> "Iterator[Moment]":
    """Yield both models of one run, each advanced on the same mini-batches."""
    import torch

    from lazycore.dynamics._descent import Descent, tangent_descent
    from lazycore.dynamics._tangent import tangent_space
    from lazycore.moments import Moment, Position, recorded_steps

    eta, momentum = values["step_size"], values["momentum"]
    space = tangent_space(problem)
    network = Descent(problem.gradient, torch.zeros_like(problem.w0), eta, momentum)
    tangent = tangent_descent(space, eta, momentum)
    stream = batches(len(problem.train), values["batch_size"], values["batch_seed"])
    done = 0
    for step in recorded_steps(values["steps"]) if record is None else record:
        for _ in range(int(step) - done):
            batch = torch.as_tensor(next(stream), device=problem.w0.device)
            network.step(batch)
            tangent.step(batch)
        done = int(step)
        position = Position(space, tangent.position)
        yield Moment(
            time=done * eta,
            progress=done / values["steps"],
            nonlinear=network.position,
            tangent=position,
            exact=position,
            steps=done,
        )
