"""`python -m lazycore`."""

import sys

from lazycore.cli import main

if __name__ == "__main__":
    sys.exit(main())
