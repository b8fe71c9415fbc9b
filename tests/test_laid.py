"""A column over the axes of its sweep, against the cells one by one."""

from itertools import permutations

import numpy as np
import pytest

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.results.laid import laid

AXES = {"alpha": (3.0, 1.0, 2.0), "width": (4, 8), "seed": (0, 1, 2, 3)}


@pytest.mark.parametrize("order", [*permutations(AXES)], ids="-".join)
def test_every_cell_stands_at_the_values_of_its_axes(order):
    config = SweepConfig(base=RunConfig(), axes=AXES)
    column = np.stack([np.arange(24.0), -np.arange(24.0)], axis=1)
    found = laid(config.axes, column, (*order, "init_scale"))
    assert found.shape == (*(len(AXES[name]) for name in order), 1, 2)
    for row, cell in enumerate(config.cells):
        place = tuple(config.axes[name].index(cell.values[name]) for name in order)
        assert found[place].tolist() == [[float(row), -float(row)]]


def test_an_axis_that_is_left_out_cannot_be():
    with pytest.raises(ValueError):
        laid(AXES, np.arange(24.0), ("alpha", "width"))
