"""Mini-batch gradient descent: the same batches for both models, momentum if wanted.

The step size can fall from epoch to epoch, η/(1 + βt); flow time is the sum of the steps
taken. One step of size η on F_α is one step of size η in v = α (w − w0), whatever α is.
Images can be shifted and mirrored at random: both models see the same ones. Whether all points
have met their margins (stop=margins) is looked at where it is recorded: it takes all of them.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from lazycore.config import refreshing, spec
from lazycore.config.fields import (
    AUGMENTATION,
    BATCH_SEED,
    BATCH_SIZE,
    MOMENTUM,
    SCHEDULE,
    SCHEDULE_DECAY,
    STEP_SIZE,
    STEPS,
    STOP,
)
from lazycore.config.moments import MODELS, recorded_steps
from lazycore.config.spec import Spec, Values
from lazycore.engine.paths.augmentation import pixel_maps
from lazycore.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

    from lazycore.config.moments import Moment, Position
    from lazycore.engine.linear.tangent import FunctionSpace, ParameterSpace
    from lazycore.engine.paths.descent import Descent
    from lazycore.engine.problem.problem import Points, Problem


def _check(values: Values) -> None:
    refreshing.check(values)
    if values["batch_size"] > values["n_train"]:
        raise ConfigError(
            f"batch_size={values['batch_size']} is not allowed: there are "
            f"n_train={values['n_train']} points; give at most {values['n_train']}."
        )
    if _moves_images(values) and values.get("pca"):
        raise ConfigError(
            f"pca={values['pca']} leaves no images, which augmentation={values['augmentation']} "
            "takes: leave one of them out."
        )


SPEC = Spec(
    name="sgd",
    meaning="mini-batch gradient descent, the same batches for both models",
    reads=(
        *(STEPS, STEP_SIZE, SCHEDULE, SCHEDULE_DECAY),
        *(MOMENTUM, BATCH_SIZE, BATCH_SEED, AUGMENTATION, STOP),
        *(refreshing.REFRESH_EVERY, refreshing.REFRESH_SCHEDULE, refreshing.REFRESH_CAP),
    ),
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
    limits: Sequence[float] | None = None,
) -> "Iterator[tuple[int, Moment]]":
    """Yield (lane, moment) at about 200 steps, one lane after another: each has batches of
    its own, the same for both models."""
    for lane, (problem, value) in enumerate(zip(problems, values, strict=True)):
        for moment in _trajectory(problem, value, None if records is None else records[lane]):
            yield lane, moment


def step_sizes(values: Values) -> Iterator[float]:
    """Yield η of every step: constant, or η/(1 + βt) after t epochs."""
    epoch = values["n_train"] // values["batch_size"]
    decay = values["schedule_decay"] if values["schedule"] == "inverse_time" else 0.0
    done = 0
    while True:
        yield values["step_size"] / (1.0 + decay * (done // epoch))
        done += 1


def measured_steps(values: Values, costly: bool) -> np.ndarray:
    """Return about 200 steps at which to record, geometric; of a costly network not so many
    that to measure it on all points takes longer than to train it."""
    steps = recorded_steps(values["steps"])
    points = values["n_train"] + values["n_test"]
    most = max(20, 3 * values["steps"] * values["batch_size"] // points)
    if not costly or len(steps) <= most:
        return steps
    return steps[np.unique(np.linspace(0, len(steps) - 1, most).round().astype(int))]


def _trajectory(
    problem: "Problem", values: Values, record: np.ndarray | None
) -> "Iterator[Moment]":
    """Yield both models of one run, and the third where it is asked for, each advanced on the
    same mini-batches."""
    from lazycore.config.moments import Moment, Position
    from lazycore.engine.linear.tangent import ParameterSpace, batch_space
    from lazycore.engine.paths.twins import TwinDescent
    from lazycore.engine.refreshed.batches import RefreshedBatches

    space = batch_space(problem)
    if _moves_images(values):
        # New images have features of their own, which those of the training set do not span.
        space = ParameterSpace(problem, problem.train.features)
    network, tangent = _models(problem, values, space)
    third = RefreshedBatches(problem, values) if values.get("refresh_every") else None
    stream, rates = _stream(problem, values), step_sizes(values)
    costly = isinstance(space, ParameterSpace) and not problem.network.stacked
    # Each gradient takes the rounding of the outputs along. Descent forgets it at the rate at
    # which it takes it in, e ← (1 − ηλ) e + ηλ f: as much again as in the outputs measured.
    error = problem.rounding_floor if costly else 0.0
    beside = None if costly else TwinDescent(problem, lambda one: _network(one, values))
    done, time, met = 0, 0.0, frozenset()
    for step in measured_steps(values, costly) if record is None else record:
        for _ in range(int(step) - done):
            batch, rate = next(stream), next(rates)
            for model in (network, tangent):
                model.step_size = rate
                model.step(batch)
            if beside is not None:
                beside.step(batch, rate)
            if third is not None:
                third.step(batch, rate)
            time += rate
        done = int(step)
        position = Position(space, tangent.position)
        if values.get("stop") == "margins":
            met |= _met(problem, network.position, position)
        yield Moment(
            time=time if values["schedule"] != "constant" else done * values["step_size"],
            progress=1.0 if met == MODELS else done / values["steps"],
            nonlinear=network.position,
            tangent=position,
            exact=position,
            error=error if done else 0.0,
            steps=done,
            met=met,
            refreshed=None if third is None else third.state(),
            rounding=None if beside is None else beside.look(network.position),
        )
        if met == MODELS:
            return


def _met(problem: "Problem", v: "Tensor", tangent: "Position") -> frozenset[str]:
    """Return the models that have met their margins on all training points."""
    from lazycore.engine.steppers.crossing import excess

    train, margin = problem.train, problem.loss.SPEC.facts["margin"]
    outputs = {
        "nonlinear": train.outputs(v),
        "linearized": train.start + tangent.space.train_outputs(tangent.s[None])[0],
    }
    return frozenset(
        name for name, f in outputs.items() if excess(f, problem.targets, margin) >= 0.0
    )


def _moves_images(values: Values) -> bool:
    """Whether images are augmented; tasks of anything else do not read the field."""
    return values.get("augmentation", "none") != "none"


def _models(
    problem: "Problem", values: Values, space: "FunctionSpace | ParameterSpace"
) -> "tuple[Descent, Descent]":
    """Return the network and its linearisation at their start."""
    from lazycore.engine.paths.descent import tangent_descent, tangent_gradient_on

    tangent = tangent_descent(space, values["step_size"], values["momentum"])
    if _moves_images(values):
        tangent.gradient = partial(tangent_gradient_on, problem)
    return _network(problem, values), tangent


def _network(problem: "Problem", values: Values) -> "Descent":
    """Return the network at its start."""
    import torch

    from lazycore.engine.paths.descent import Descent, gradient_on

    gradient = partial(gradient_on, problem) if _moves_images(values) else problem.gradient
    return Descent(gradient, torch.zeros_like(problem.w0), values["step_size"], values["momentum"])


def _stream(problem: "Problem", values: Values) -> "Iterator[Tensor | Points]":
    """Yield batches without end: indices of points, or points with images that have moved."""
    import torch

    from lazycore.engine.paths.descent import moved_points

    size, seed, device = values["batch_size"], values["batch_seed"], problem.w0.device
    indices = (torch.as_tensor(b, device=device) for b in batches(len(problem.train), size, seed))
    if not _moves_images(values):
        yield from indices
        return
    facts = spec.find("task", values["task"]).SPEC.facts
    maps = pixel_maps(facts["image"](values), facts["flips"], size, seed)
    for batch, source in zip(indices, maps, strict=False):
        yield moved_points(problem, batch, torch.as_tensor(source, device=device))
