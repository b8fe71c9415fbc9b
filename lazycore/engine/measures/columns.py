"""What is measured of one model at several recorded times at once."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from lazycore.config.moments import Position, TangentSpace
from lazycore.engine.measures.labels import has_signs, share_of_errors, smallest_margin
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.problem import Problem

TEST_POINTS = 1000
"""Test points, at most, whose outputs are kept, so that runs can be averaged."""

FEW_OUTPUTS = 8
"""Outputs n·k up to which αh and αh̄ themselves are recorded: points of a space one can draw."""


def model_columns(
    problem: Problem, name: str, changes: dict[str, Tensor], by_layer: Tensor
) -> dict[str, Tensor]:
    """Return losses, errors, margins and displacements of one model, by their names, (r, …).

    changes: of its outputs on `train` and `test` points since the start, (r, n, k).
    by_layer: ‖v‖ of each layer, (r, layers).
    """
    by_layer = by_layer / problem.alpha
    found = {
        "displacement": by_layer.square().sum(1).sqrt(),
        "displacement_by_layer": by_layer,
        "output_change": rms(changes["train"]),
    }
    sets = {"train": problem.train, "test": problem.test}
    for part, points in sets.items():
        if points is not None and points.y is not None:
            outputs = points.start + changes[part]
            found[f"{part}_loss"] = problem.loss.per_point(outputs, points.y).mean(-1)
            if problem.classes:
                found[f"{part}_error"] = share_of_errors(outputs, points.y)
            if part == "train" and has_signs(problem):
                found["margin"] = smallest_margin(outputs, points.y)
            if part == "test":
                found["test_outputs"] = outputs[:, :TEST_POINTS]
    if problem.targets.numel() <= FEW_OUTPUTS:
        found["outputs"] = problem.train.start + changes["train"]
    return {f"{name}.{key}": value for key, value in found.items()}


def positions(positions: Sequence[Position | None]) -> tuple[TangentSpace, Tensor]:
    """Return the space of these states of one linearised model, and their coordinates (r, q)."""
    known = [position for position in positions if position is not None]
    return known[0].space, torch.stack([position.s for position in known])


def as_array(values: Tensor) -> np.ndarray:
    """Return the numbers as float64."""
    return values.detach().cpu().double().numpy()
