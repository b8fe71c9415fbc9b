"""Which input directions the first layer sees: those the labels depend on, or all alike."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lazycore.config import spec
from lazycore.engine.problem.problem import Problem
from lazycore.results.quantities.units import COMPRESSION


@dataclass(frozen=True, eq=False)
class Compression:
    """Measures one problem whose labels depend on some of the inputs.

    along: inputs that labels depend on. across: inputs that they do not.
    """

    problem: Problem
    along: tuple[int, ...]
    across: tuple[int, ...]

    @property
    def plane(self) -> tuple[int, int]:
        """An input that matters and one that does not: axes to draw neurons on."""
        return self.along[0], self.across[0]

    def columns(self, v: Tensor) -> dict[str, Tensor]:
        r"""Return Λ = rms w_∥ / rms w_⊥ of the first layer's weights at v (r, p), (r,).

        The mean squares are over neurons and directions. Features that are learned compress
        the directions that do not matter, and Λ grows with the number of points (Paccolat,
        Petrini, Geiger, Tyloo & Wyart 2021, arXiv:2007.11471); lazily it stays as drawn.
        """
        w = self.problem.train.weights(v)
        blocks = self.problem.network.blocks
        rows = [
            w[:, block.slice].unflatten(1, block.shape)
            for block in blocks
            if block.layer == blocks[0].layer
        ]
        first = torch.cat(rows, dim=1)
        sizes = [_mean_square(first[..., list(some)]) for some in (self.along, self.across)]
        return {COMPRESSION.name: (sizes[0] / sizes[1]).sqrt()}


def _mean_square(weights: Tensor) -> Tensor:
    return weights.square().mean((-2, -1))


def compression(problem: Problem, values: spec.Values) -> Compression | None:
    """Return what measures it; None for tasks that say nothing of directions, and for networks
    whose first weights are not one row for each neuron."""
    task = values.get("task")
    facts = spec.find("task", task).SPEC.facts if task else {}
    if "directions" not in facts or not problem.network.stacked:
        return None
    along, across = facts["directions"](values)
    return Compression(problem, tuple(along), tuple(across)) if len(across) else None
