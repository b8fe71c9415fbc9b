"""What is measured of the third path, iterative linearisation, and of its stages."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lazycore.columns import model_columns, rms
from lazycore.moments import Moment, Refreshed
from lazycore.problem import Problem


def refreshed_columns(
    problem: Problem, states: Sequence[Refreshed | None], network: Tensor
) -> dict[str, Tensor]:
    """Return the columns of the third path, NaN where it is not there any more.

    network: changes of the outputs of the network (r, n, k): `refreshed.gap` is the distance.
    """
    known = {i: state for i, state in enumerate(states) if state is not None}
    rows = torch.tensor(list(known), dtype=torch.long, device=network.device)

    def column(parts: Sequence[Tensor], shape: Sequence[int]) -> Tensor:
        blank = network.new_full((len(states), *shape), torch.nan)
        return blank.index_copy(0, rows, torch.stack(list(parts))) if parts else blank

    found = known.values()
    changes = {"train": column([state.train for state in found], problem.targets.shape)}
    if problem.test is not None:
        tests = [state.test for state in found if state.test is not None]
        changes["test"] = column(tests, problem.test.start.shape)
    by_layer = problem.norms_by_layer(column([state.v for state in found], problem.w0.shape))
    columns = model_columns(problem, "refreshed", changes, by_layer)
    columns["refreshed.gap"] = rms(network - changes["train"])
    return columns


def stages(moment: Moment) -> dict[str, Any]:
    """Return what is known of the stages of iterative linearisation, an entry each.

    refreshed.updates: how often features have been taken so far. The eigenvalues are those
    of a few stages, with the steps where these begin.
    """
    if moment.refreshed is None:
        return {}
    noted = moment.refreshed.stages
    spectra = [stage for stage in noted if stage.eigenvalues is not None]
    columns = {
        "stage_step": [stage.step for stage in noted],
        "stage_time": [stage.time for stage in noted],
        "stage_step_size": [stage.step_size for stage in noted],
        "stability": [stage.stability for stage in noted],
        "kernel_distance": [stage.distance for stage in noted],
        "spectrum_step": [stage.step for stage in spectra],
        "spectrum": [stage.eigenvalues for stage in spectra],
    }
    found = {f"refreshed.{name}": np.array(values, float) for name, values in columns.items()}
    return found | {"refreshed.updates": moment.refreshed.updates}
