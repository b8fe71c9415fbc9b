"""The table of modules: people's modules, each with what `compare` has to answer."""

from module_row import Row
from zoo_again import AGAIN
from zoo_autograd import AUTOGRAD
from zoo_dtypes import DTYPES
from zoo_layers import LAYERS
from zoo_operations import OPERATIONS
from zoo_outputs import OUTPUTS
from zoo_parameters import PARAMETERS
from zoo_points import TOGETHER
from zoo_random import RANDOM
from zoo_shared import SHARED
from zoo_wrappers import WRAPPERS

ROWS: list[Row] = [
    *SHARED,
    *AGAIN,
    *RANDOM,
    *TOGETHER,
    *PARAMETERS,
    *OUTPUTS,
    *LAYERS,
    *OPERATIONS,
    *AUTOGRAD,
    *DTYPES,
    *WRAPPERS,
]
