"""The table of modules: people's modules, each with what `compare` has to answer."""

from module_row import Row
from zoo_autograd import AUTOGRAD, DTYPES
from zoo_layers import LAYERS
from zoo_outputs import OUTPUTS
from zoo_parameters import PARAMETERS
from zoo_points import TOGETHER
from zoo_random import RANDOM
from zoo_shared import AGAIN, SHARED
from zoo_wrappers import WRAPPERS

ROWS: list[Row] = [
    *SHARED,
    *AGAIN,
    *RANDOM,
    *TOGETHER,
    *PARAMETERS,
    *OUTPUTS,
    *LAYERS,
    *AUTOGRAD,
    *DTYPES,
    *WRAPPERS,
]
