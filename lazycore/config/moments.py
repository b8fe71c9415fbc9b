"""What a dynamics yields at a recorded time, and which times are recorded. No torch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

RECORDS = 200
MODELS = frozenset(("nonlinear", "linearized"))

DIVERGED = 1e6
"""A training loss this many times the initial one (or one that is not finite) has diverged."""


class TangentSpace(Protocol):
    """The linearised model in coordinates s (q,), many states of which are measured at once."""

    def parameters(self, s: "Tensor") -> "Tensor":
        """Return v̄ (…, p) at s (…, q)."""
        ...

    def train_outputs(self, s: "Tensor") -> "Tensor":
        """Return the change of αh̄ on the training points at s (r, q): shape (r, n, k)."""
        ...

    def test_outputs(self, s: "Tensor") -> "Tensor":
        """Return the change of αh̄ on the test points at s (r, q): shape (r, n', k)."""
        ...

    def displacement_by_layer(self, s: "Tensor") -> "Tensor":
        """Return ‖v̄‖ of each layer at s (r, q): shape (r, layers)."""
        ...


@dataclass(frozen=True, eq=False)
class Position:
    """A state of the linearised model: its coordinates s (q,) in a space of them."""

    space: TangentSpace
    s: "Tensor"

    @property
    def parameters(self) -> "Tensor":
        """v̄ = α (w̄ − w0), (p,)."""
        return self.space.parameters(self.s)


@dataclass(frozen=True, eq=False)
class Stage:
    """Where the features of iterative linearisation were taken anew, and what they were.

    step, time: its first. step_size: η used in it. stability: the curvature of the loss times
    η λ_max(Θ_s) for the η that was asked for: above 2 its steps diverge.
    distance: 1 − ⟨Θ_s, Θ₀⟩/(‖Θ_s‖ ‖Θ₀‖). eigenvalues: of Θ_s/n, decreasing; None of most.
    """

    step: int
    time: float
    step_size: float
    stability: float
    distance: float
    eigenvalues: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Refreshed:
    """The path of iterative linearisation at one time.

    v: α (w − w0), (p,). train, test: changes of the outputs since the start, (n, k) each.
    elsewhere: x → the change on other points. updates: how often features have been taken.
    stages: those recorded so far.
    """

    v: "Tensor"
    train: "Tensor"
    test: "Tensor | None"
    elsewhere: "Callable[[Tensor], Tensor]"
    updates: int
    stages: tuple[Stage, ...]


@dataclass(frozen=True, eq=False)
class Moment:
    """Both models at one time, as scaled displacements v = α (w − w0), (p,).

    nonlinear: the network, None once it has diverged.
    tangent: the linearised model advanced by the same method on the same steps: the gap is
        taken against this one, because their discretisation errors cancel.
    exact: the linearised model as exactly as it is known: this one is shown.
    progress: share of the work done, 0 to 1.
    error: error of the method in the output gap so far, rounding not counted.
    steps: steps taken so far, each of which rounds.
    met: the models that have come to their end by now (`stop`): these are their last states.
    diagnosis: what kept the run from its end, if anything did.
    refreshed: the third path where the run has one, None also once it has diverged.
    rounding: what rounding has been seen to come to in the gap so far, carried on from step to
        step; 0 where `error` holds it, None where nothing was looked at.
    """

    time: float
    progress: float
    nonlinear: "Tensor | None"
    tangent: Position | None
    exact: Position | None
    error: float = 0.0
    steps: int = 0
    met: frozenset[str] = frozenset()
    diagnosis: str = ""
    refreshed: Refreshed | None = None
    rounding: float | None = None

    @property
    def paired(self) -> "Tensor | None":
        """v̄ of `tangent`."""
        return None if self.tangent is None else self.tangent.parameters

    @property
    def linearized(self) -> "Tensor | None":
        """v̄ of `exact`."""
        return None if self.exact is None else self.exact.parameters


def blocks(moments: Iterator[Moment], size: int, patience: float) -> Iterator[Sequence[Moment]]:
    """Yield the moments a few at a time: at most `size`, or as many as `patience` steps bring.

    What is measured of a block is measured at once; yet a long run is to be seen growing.
    """
    block: list[Moment] = []
    for moment in moments:
        block.append(moment)
        if is_due(block, size, patience):
            yield block
            block = []
    if block:
        yield block


def is_due(block: Sequence[Moment], size: int, patience: float) -> bool:
    """Whether these moments, waiting to be measured, are to wait no longer."""
    first, last = block[0], block[-1]
    return has_waited(block, size, patience) or last.progress >= 1.0 or first.steps == 0


class Taken(Protocol):
    """What was come to after some steps."""

    @property
    def steps(self) -> int:
        """Steps, or evaluations, taken so far."""
        ...


def has_waited(block: Sequence[Taken], size: int, patience: float) -> bool:
    """Whether there are as many as go together, or so many steps have brought them."""
    return len(block) >= size or block[-1].steps - block[0].steps >= patience


def recorded_steps(steps: int) -> np.ndarray:
    """Return 0 and about 200 distinct steps, geometric from steps/10⁴ to `steps`."""
    spaced = np.geomspace(max(1.0, steps / 1e4), steps, RECORDS)
    return np.unique(np.concatenate([[0], np.rint(spaced).astype(np.int64)]))


def recorded_times(time: float) -> np.ndarray:
    """Return 0 and 200 times, geometric from T/10⁴ to T, the last exactly T."""
    return geometric_times(time, RECORDS)


def geometric_times(time: float, count: int) -> np.ndarray:
    """Return 0 and so many times, geometric from T/10⁴ to T, the last exactly T."""
    spaced = np.geomspace(time * 1e-4, time, count)
    spaced[-1] = time
    return np.concatenate([[0.0], spaced])


def spaced_times(first: float, end: float, per_decade: int) -> np.ndarray:
    """Return 0 and times with one ratio, about `per_decade` in each factor of ten, from `first`
    to `end`, the last exactly `end`."""
    count = 1 + max(1, round(per_decade * np.log10(end / first)))
    spaced = np.geomspace(first, end, count)
    spaced[-1] = end
    return np.concatenate([[0.0], spaced])
