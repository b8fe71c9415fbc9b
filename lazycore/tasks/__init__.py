"""What is learned: one file per task, numpy only.

Each file holds a `SPEC` and

    sample(values, streams) -> Sample

where `streams` are independent generators derived from `data_seed`: a longer training set
leaves the teacher and the test points as they were. A target is a real number, or the index
of a class; `lazycore.engine.problem.targets` turns it into what the loss reads.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sample:
    """Inputs (n, d) and raw targets (n,): floats for a real task, class indices otherwise.

    Real targets may have been standardised: what they stand for is mean + scale · y.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    target_mean: float = 0.0
    target_scale: float = 1.0


@dataclass(frozen=True)
class Streams:
    """Independent generators for the parts of a data set, from one seed."""

    problem: np.random.Generator
    train: np.random.Generator
    test: np.random.Generator
    noise: np.random.Generator

    @classmethod
    def from_seed(cls, seed: int) -> "Streams":
        """Return the four generators of this seed; each is untouched by what another draws."""
        return cls(*(np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)))
