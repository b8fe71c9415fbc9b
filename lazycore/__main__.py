"""`python -m lazycore`."""

import sys

from lazycore.machine.processes import become_program

if __name__ == "__main__":
    become_program()
    from lazycore.cli import main

    sys.exit(main())
