"""What a dynamics yields at a recorded time, and which times are recorded. No torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

RECORDS = 200


@dataclass(frozen=True, eq=False)
class Moment:
    """Both models at one time, as scaled displacements v = α (w − w0), (p,).

    nonlinear: the network, None once it has diverged.
    paired: the linearised model advanced by the same method on the same steps: the gap is
        taken against this one, because their discretisation errors cancel.
    linearized: the linearised model as exactly as it is known: this one is shown.
    progress: share of the work done, 0 to 1.
    error: error of the method in the output gap so far, rounding not counted.
    steps: steps taken so far, each of which rounds.
    """

    time: float
    progress: float
    nonlinear: "Tensor | None"
    paired: "Tensor | None"
    linearized: "Tensor | None"
    error: float = 0.0
    steps: int = 0


def recorded_steps(steps: int) -> np.ndarray:
    """Return 0 and about 200 distinct steps, geometric from steps/10⁴ to `steps`."""
    spaced = np.geomspace(max(1.0, steps / 1e4), steps, RECORDS)
    return np.unique(np.concatenate([[0], np.rint(spaced).astype(np.int64)]))


def recorded_times(time: float) -> np.ndarray:
    """Return 0 and 200 times, geometric from T/10⁴ to T, the last exactly T."""
    spaced = np.geomspace(time * 1e-4, time, RECORDS)
    spaced[-1] = time
    return np.concatenate([[0.0], spaced])
