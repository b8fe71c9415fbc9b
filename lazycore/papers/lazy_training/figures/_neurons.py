"""The two-layer networks in the plane whose neurons Figures 1(a, b) and 6 show."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.results.run import RunResult
from lazycore.tasks import Streams

STEPS, STEP = 100_000, 0.005
"""The authors' code takes so many steps of this length: T = 500."""


def plane_run(
    tau: float,
    *,
    width: int,
    n_train: int,
    seed: int = 0,
    zero_output: str = "symmetrized",
    steps: bool = True,
) -> RunConfig:
    """Return a run in the plane up to T = 500, by the authors' steps or by gradient flow."""
    by_steps = {"dynamics": "gd", "steps": STEPS, "step_size": STEP}
    by_flow = {"dynamics": "flow", "time": STEPS * STEP}
    fields: Mapping[str, Any] = by_steps if steps else by_flow
    return RunConfig(
        task="teacher",
        dim=2,
        n_train=n_train,
        n_test=20,
        model="two_layer",
        width=width,
        init_scale=tau,
        scaling="plain",
        zero_output=zero_output,
        seed=seed,
        **fields,
    )


def displacement(result: RunResult) -> float:
    """Return ‖|a|b(T) − |a|b(0)‖ / ‖|a|b(0)‖ over all neurons of the network."""
    path = result.sparse["neurons.nonlinear"]
    return float(np.linalg.norm(path[-1] - path[0]) / np.linalg.norm(path[0]))


def cosines(result: RunResult) -> tuple[float, float]:
    """Return, at the start and the end, the mean over neurons of the cosine between b_j and the
    nearest teacher neuron of the sign of a_j, weighted by ‖|a_j| b_j‖."""
    values = result.config or {}
    teacher = spec.find("task", "teacher").teacher
    directions, outputs = teacher(values, Streams.from_seed(values["data_seed"]))
    signs = np.asarray(result.latest["neurons.sign"])
    found = []
    for place in (0, -1):
        points = result.sparse["neurons.nonlinear"][place]
        mass = np.linalg.norm(points, axis=1)
        unit = points / np.where(mass > 0.0, mass, 1.0)[:, None]
        along = np.where(signs[:, None] == outputs, unit @ directions.T, -1.0).max(axis=1)
        # A sign that the teacher has not leaves a neuron no direction to go.
        known = np.isin(signs, outputs)
        found.append(float(np.average(along[known], weights=mass[known] + 1e-300)))
    return found[0], found[1]


def final_loss(result: RunResult) -> float:
    """Return the training loss at the end."""
    return float(result.series["nonlinear.train_loss"][-1])
