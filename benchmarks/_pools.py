"""One thread for each of numpy's and torch's pools; to be imported before either of them.

The threads of a benchmark are its own: two pools of two threads each fight for two cores.
"""

import os
import sys

from lazycore.machine.processes import POOLS

if "numpy" not in sys.modules:
    for _pool in POOLS:
        os.environ.setdefault(_pool, "1")
