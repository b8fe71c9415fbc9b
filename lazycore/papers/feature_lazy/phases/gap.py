"""Which side is better: the test error of lazy minus that of feature training, as it is found.

Fully connected networks on images were better lazy, convolutional ones better as they learn
features (Geiger et al. 2020, arXiv:1906.08034, at n = 10⁴). On few points neither need hold.
"""

from dataclasses import dataclass

import numpy as np

from lazycore.papers.feature_lazy.phases.cube import Cube
from lazycore.theory import bootstrap
from lazycore.theory.bootstrap import Interval


@dataclass(frozen=True)
class Gap:
    """Mean test errors of both sides over seeds, and the difference of each seed's two.

    difference: lazy − feature with its interval; None for fewer than three seeds with both.
    """

    width: float
    feature: float
    lazy: float
    seeds: int
    difference: Interval | None


def nearest(scales: np.ndarray, wanted: float) -> int:
    """Return the place of the √hα nearest to `wanted` by ratio."""
    return int(np.abs(np.log(scales) - np.log(wanted)).argmin())


def gap(cube: Cube, feature: float, lazy: float) -> Gap | None:
    """Return the gap of the widest network between these two √hα; None where no seed has both.

    The two runs of a seed start from the same weights, so their difference is taken first.
    """
    errors = cube.values["final_test_error"][-1]
    pair = errors[[nearest(cube.scales, feature), nearest(cube.scales, lazy)]]
    pair = pair[:, np.isfinite(pair).all(0)]
    count = pair.shape[1]
    if not count:
        return None
    apart = bootstrap.mean_interval(pair[1] - pair[0]) if count >= 3 else None
    low, high = pair.mean(1).tolist()
    return Gap(float(cube.widths[-1]), low, high, count, apart)
