"""Some entries of a matrix of low rank are seen; the others are the test."""

from dataclasses import replace

import numpy as np

from lazycore.config.fields import N_TEST, N_TRAIN, TARGET_NOISE
from lazycore.config.spec import Field, Spec, Values
from lazycore.tasks import Sample, Streams, _images

SIZE = Field(
    name="matrix_size", kind=int, default=20, low=2, high=300, meaning="rows and columns N"
)
RANK = Field(
    name="matrix_rank",
    kind=int,
    default=2,
    low=1,
    high=300,
    meaning="rank of the matrix to be completed",
)
OBSERVED = replace(
    N_TRAIN,
    default=lambda values: max(1, round(0.3 * values["matrix_size"] ** 2)),
    meaning="observed entries n; left out: 30 % of all",
)
HIDDEN = replace(
    N_TEST,
    default=lambda values: min(200, max(0, values["matrix_size"] ** 2 - values["n_train"])),
    meaning="unobserved entries that are tested; left out: 200 at most",
)


def _check(values: Values) -> None:
    entries = values["matrix_size"] ** 2
    what = f"a matrix of matrix_size={values['matrix_size']} has {entries} entries"
    _images.share_out(values, entries, what)


SPEC = Spec(
    name="matrix_completion",
    meaning="complete a matrix of low rank from some of its entries",
    reads=(SIZE, RANK, OBSERVED, HIDDEN, TARGET_NOISE),
    defaults={"model": "matrix_factorization"},
    check=_check,
    facts={"inputs": lambda values: 2 * values["matrix_size"], "classes": lambda values: 0},
)


def truth(values: Values, streams: Streams) -> np.ndarray:
    """Return the matrix A Bᵀ/√rank, A and B (N, rank) of N(0, 1): entries of variance 1."""
    shape = (2, values["matrix_size"], values["matrix_rank"])
    a, b = streams.problem.standard_normal(shape)
    return a @ b.T / values["matrix_rank"] ** 0.5


def sample(values: Values, streams: Streams) -> Sample:
    """Return entries (i, j) as two unit vectors side by side, (n, 2N), and their values.

    Those observed come from one end of a random order, those tested from the other.
    """
    matrix = truth(values, streams)
    order = streams.problem.permutation(matrix.size)

    def entries(which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        i, j = np.divmod(which, len(matrix))
        unit = np.eye(len(matrix))
        return np.concatenate([unit[i], unit[j]], axis=1), matrix[i, j]

    train, test = order[: values["n_train"]], order[::-1][: values["n_test"]]
    return Sample(*entries(train), *entries(test))
