"""The binary version of CIFAR-10: records of a label and 3 × 32 × 32 values, plane by plane."""

from collections.abc import Sequence

import numpy as np

RECORD = 1 + 3 * 32 * 32


def parse(batches: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, 3, 32, 32) and labels (n,) of these batches of whole records.

    Each record is one byte of label, then the red, the green and the blue plane, row by row
    (A. Krizhevsky 2009, the set's own description).
    """
    records = np.frombuffer(b"".join(batches), dtype=np.uint8).reshape(-1, RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0]
