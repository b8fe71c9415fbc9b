"""`python -m lazycore`, and the command `lazylab`."""

import sys

from lazycore.machine.processes import become_program


def start(program: str = "lazylab") -> int:
    """Return the exit code of this process's call; `program` is the name that it goes by."""
    become_program()
    from lazycore.cli import main

    return main(program=program)


if __name__ == "__main__":
    sys.exit(start("lazycore"))
