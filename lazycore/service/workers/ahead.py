"""What a fork server imports ahead of its children: the engine that $LAZYLAB_AHEAD names.

What cannot be imported must not end the fork server: the child that needs it says why.
"""

import contextlib
import importlib
import os

VARIABLE = "LAZYLAB_AHEAD"

with contextlib.suppress(Exception):
    importlib.import_module(os.environ[VARIABLE])
