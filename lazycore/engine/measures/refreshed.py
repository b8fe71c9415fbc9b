"""What is recorded of iterative linearisation: its path at many times, and its stages."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lazycore.config.moments import Refreshed
from lazycore.engine.measures.columns import model_columns
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.problem import Problem


def refreshed_columns(
    problem: Problem, states: Sequence[Refreshed | None], network: Tensor
) -> dict[str, Tensor]:
    """Return the columns of the path, NaN where it has ended.

    network: changes of the outputs of the network (r, n, k): `refreshed.gap` is the distance.
    """
    parts = changes(problem, states)
    by_layer = problem.norms_by_layer(parts.pop("v"))
    columns = model_columns(problem, "refreshed", parts, by_layer)
    return columns | {"refreshed.gap": rms(network - parts["train"])}


def changes(problem: Problem, states: Sequence[Refreshed | None]) -> dict[str, Tensor]:
    """Return v (r, p), and the changes of the outputs on the `train` and `test` points, (r, n, k)
    each, of these states of the path; NaN where it has ended."""
    rows = [i for i, state in enumerate(states) if state is not None]
    known = [state for state in states if state is not None]
    w0 = problem.w0

    def column(parts: Sequence[Tensor], shape: Sequence[int]) -> Tensor:
        blank = w0.new_full((len(states), *shape), torch.nan)
        index = torch.tensor(rows, device=w0.device)
        return blank.index_copy(0, index, torch.stack(list(parts)))

    if not known:
        sets = {"v": w0, "train": problem.targets}
        sets |= {"test": problem.test.start} if problem.test else {}
        return {n: w0.new_full((len(states), *t.shape), torch.nan) for n, t in sets.items()}
    found = {
        "v": column([state.v for state in known], w0.shape),
        "train": column([state.train for state in known], problem.targets.shape),
    }
    tests = [state.test for state in known if state.test is not None]
    return found | ({"test": column(tests, tests[0].shape)} if tests else {})


def stage_columns(state: Refreshed | None) -> dict[str, Any]:
    """Return by the names of the record what is known of the stages so far, an entry each.

    refreshed.updates: how often features have been taken. The eigenvalues are those of a few
    stages, with the steps where these begin.
    """
    if state is None:
        return {}
    spectra = [stage for stage in state.stages if stage.eigenvalues is not None]
    columns = {
        "stage_step": [stage.step for stage in state.stages],
        "stage_time": [stage.time for stage in state.stages],
        "stage_step_size": [stage.step_size for stage in state.stages],
        "stability": [stage.stability for stage in state.stages],
        "kernel_distance": [stage.distance for stage in state.stages],
        "spectrum_step": [stage.step for stage in spectra],
        "spectrum": [stage.eigenvalues for stage in spectra],
    }
    found = {f"refreshed.{name}": np.array(values, float) for name, values in columns.items()}
    return found | {"refreshed.updates": state.updates}
