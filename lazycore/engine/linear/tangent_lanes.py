"""The linearised models of many lanes, in the coordinates in which all are stepped at once.

Under the square loss the eigenvectors of the tangent kernel are the coordinates: each then
decays by itself, z' = −(b + λ z), and a stage of a Runge–Kutta step costs one multiplication
per point instead of a product with the kernel. They are scaled so that ‖z‖ = ‖v̄‖.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from lazycore.config.moments import Position
from lazycore.engine.linear.closed_form import ClosedForm, OutputForm
from lazycore.engine.linear.tangent import FunctionSpace, TangentSpace, gradient
from lazycore.losses import Loss
from lazycore.machine.blas import product


class TangentLanes(Protocol):
    """What the pair needs of the linearised models; z has a row for each lane."""

    @property
    def size(self) -> int:
        """Coordinates of one lane."""
        ...

    def select(self, rows: Sequence[int]) -> "TangentLanes":
        """Return the models of some of the lanes."""
        ...

    def gradient(self, z: Tensor) -> Tensor:
        """Return minus the velocity of z, (s, q)."""
        ...

    def outputs(self, z: Tensor) -> Tensor:
        """Return the change of αh̄ on the training points, (…, s, n, k), at z (…, s, q); linear
        in it."""
        ...

    def position(self, row: int, z: Tensor) -> Position:
        """Return the state of one lane's model, from its z (q,)."""
        ...


@dataclass(frozen=True, eq=False)
class Eigenmodes:
    """Square loss: rates λ (s, q), b (s, q), and per lane the map z → change of αh̄ (n·k, q), to
    be taken `scale` times (s, 1), and the way back from z to the coordinates of its space."""

    spaces: Sequence[TangentSpace]
    rates: Tensor
    b: Tensor
    scale: Tensor
    maps: Sequence[Tensor]
    back: Sequence[Callable[[Tensor], Tensor]]

    @property
    def size(self) -> int:
        """Number of modes."""
        return self.rates.shape[1]

    def select(self, rows: Sequence[int]) -> "Eigenmodes":
        """Return the models of some of the lanes."""
        rows = list(rows)
        spaces = [self.spaces[row] for row in rows]
        maps, back = [self.maps[row] for row in rows], [self.back[row] for row in rows]
        return Eigenmodes(spaces, self.rates[rows], self.b[rows], self.scale[rows], maps, back)

    def gradient(self, z: Tensor) -> Tensor:
        """Return b + λ z."""
        return torch.addcmul(self.b[: len(z)], self.rates[: len(z)], z)

    def outputs(self, z: Tensor) -> Tensor:
        """Return the map of each lane applied to its z."""
        changes = _each(self.maps, self.scale[: z.shape[-2]] * z)
        return changes.unflatten(-1, self.spaces[0].problem.targets.shape)

    def position(self, row: int, z: Tensor) -> Position:
        """Return the state in its modes."""
        return Position(InModes(self.spaces[row], self.back[row]), z)


@dataclass(frozen=True, eq=False)
class InModes:
    """A linearised model at states z (…, q), which `back` turns into those of its space."""

    space: TangentSpace
    back: Callable[[Tensor], Tensor]

    def parameters(self, s: Tensor) -> Tensor:
        """Return v̄."""
        return self.space.parameters(self.back(s))

    def train_outputs(self, s: Tensor) -> Tensor:
        """Return the change of αh̄ on the training points."""
        return self.space.train_outputs(self.back(s))

    def test_outputs(self, s: Tensor) -> Tensor:
        """Return the change of αh̄ on the test points."""
        return self.space.test_outputs(self.back(s))

    def displacement_by_layer(self, s: Tensor) -> Tensor:
        """Return ‖v̄‖ of each layer."""
        return self.space.displacement_by_layer(self.back(s))


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Any loss: each lane in the coordinates of its `TangentSpace`."""

    spaces: Sequence[TangentSpace]
    loss: Loss

    @property
    def size(self) -> int:
        """Coordinates of one lane."""
        return self.spaces[0].size

    def select(self, rows: Sequence[int]) -> "Coordinates":
        """Return the models of some of the lanes."""
        return Coordinates([self.spaces[row] for row in rows], self.loss)

    def gradient(self, z: Tensor) -> Tensor:
        """Return minus the velocity of each lane's coordinates."""
        spaces = self.spaces[: len(z)]
        if not all(isinstance(space, FunctionSpace) for space in spaces):
            pairs = zip(spaces, z.to(spaces[0].dtype), strict=True)
            return torch.stack([gradient(space, part) for space, part in pairs]).to(z)
        start = torch.stack([space.problem.train.start for space in spaces])
        y = torch.stack([space.problem.targets for space in spaces])
        return (self.loss.gradient(start + self.outputs(z), y) / y.shape[1]).flatten(1)

    def outputs(self, z: Tensor) -> Tensor:
        """Return the change of αh̄ of each lane; one product where they share a kernel."""
        spaces = self.spaces[: z.shape[-2]]
        shape = spaces[0].problem.targets.shape
        if all(isinstance(space, FunctionSpace) for space in spaces):
            kernels = [space.kernel for space in spaces]  # type: ignore[attr-defined]
            return _each(kernels, z).unflatten(-1, shape)
        if z.ndim > 2:
            return torch.stack([self.outputs(part) for part in z])
        pairs = zip(spaces, z.to(spaces[0].dtype), strict=True)
        return torch.stack([space.outputs(part) for space, part in pairs]).to(z)

    def position(self, row: int, z: Tensor) -> Position:
        """Return the state."""
        return Position(self.spaces[row], z.to(self.spaces[row].dtype))


def tangent_lanes(
    spaces: Sequence[TangentSpace], solutions: Sequence[ClosedForm | OutputForm | None]
) -> TangentLanes:
    """Return the linearised models by their eigenmodes where every lane's are known in full."""
    kept: dict[int, Tensor] = {}
    modes = [
        _modes(space, solution, kept)
        for space, solution in zip(spaces, solutions, strict=True)
        if isinstance(solution, ClosedForm)
    ]
    if len(modes) < len(spaces):
        return Coordinates(spaces, spaces[0].problem.loss)
    rates, b, maps, back = zip(*modes, strict=True)
    scales = [[space.problem.train.anchor.factor] for space in spaces]
    scale = rates[0].new_tensor(scales)
    return Eigenmodes(spaces, torch.stack(rates), torch.stack(b), scale, maps, back)


def _modes(
    space: TangentSpace, solution: ClosedForm, kept: dict[int, Tensor]
) -> tuple[Tensor, Tensor, Tensor, Callable[[Tensor], Tensor]]:
    """Return λ, b, the map to outputs and the way back to the space, of one lane.

    kept: the maps so far by their anchor, so that lanes of one kernel, or of multiples of it,
        share one.
    """
    anchor, dtype = space.problem.train.anchor, space.problem.w0.dtype
    base = anchor.base or anchor
    vectors, b = solution.vectors.to(space.dtype), solution.start
    rates = torch.as_tensor(solution.eigenvalues, device=b.device)
    if isinstance(space, FunctionSpace):
        # Here v̄ = Jᵀ s, so ‖v̄‖² = sᵀΘs, and s = V z/√(nλ) makes that ‖z‖².
        root = (len(space.problem.train) * rates).sqrt()
        inverse = torch.where(root > 0.0, 1.0 / root, torch.zeros_like(root)).to(space.dtype)
        b = root * b
    if id(base) not in kept:
        if isinstance(space, FunctionSpace):
            columns = solution.vectors * root
        else:
            columns = torch.stack([space.outputs(v).flatten() for v in vectors.T], dim=1)
        kept[id(base)] = (columns / anchor.factor).to(dtype)

    def back(z: Tensor) -> Tensor:
        z = z.to(space.dtype)
        return product(inverse * z if isinstance(space, FunctionSpace) else z, vectors.T)

    return rates.to(dtype), b.to(dtype), kept[id(base)], back


def _each(matrices: Sequence[Tensor], z: Tensor) -> Tensor:
    """Return the products of each lane's matrix with its rows of z (…, s, q), (…, s, size).

    Lanes of one matrix are one product: a matrix that is larger than the cache is read once.
    """
    lanes: dict[int, list[int]] = {}
    for lane, matrix in enumerate(matrices[: z.shape[-2]]):
        lanes.setdefault(id(matrix), []).append(lane)
    first, dtype = matrices[0], z.dtype
    z = z.to(first.dtype)
    if len(lanes) == 1:
        return product(z, first.T).to(dtype)
    found = z.new_empty((*z.shape[:-1], len(first)))
    for some in lanes.values():
        found[..., some, :] = product(z[..., some, :], matrices[some[0]].T)
    return found.to(dtype)
