"""A data set of a run as tensors of one device."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lazycore.config.spec import Values
from lazycore.engine.problem.targets import dataset


@dataclass(frozen=True, eq=False)
class Data:
    """A data set as tensors of one device; see `targets.Dataset`."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    classes: int
    units: Mapping[str, float] = field(default_factory=dict)


def load(values: Values, device: torch.device) -> Data:
    """Return the data of these resolved fields.

    Data and weights are drawn on the CPU from numpy generators, so that they are the same
    numbers on every device.
    """
    found, dtype = dataset(values), getattr(torch, values["dtype"])
    arrays = (found.x_train, found.y_train, found.x_test, found.y_test)
    tensors = (torch.as_tensor(array, dtype=dtype, device=device) for array in arrays)
    return Data(*tensors, classes=found.classes, units=found.units)
