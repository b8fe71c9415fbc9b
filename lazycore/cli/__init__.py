"""`python -m lazycore run | sweep | worker | jobs | check | data`: the same without the pages.

A wrong call ends with 2, a refused or failed one with 1; both print one sentence to standard
error and nothing to standard output.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from lazycore.cli import checks, data, queue, runs, sweeps
from lazycore.errors import ConfigError, LazyLabError


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence and nothing else."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[0].lower()}{message[1:]} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of the call with these arguments (the process's when None)."""
    try:
        options = _parser().parse_args(arguments)
        return options.call(options)
    except ConfigError as error:
        return _refuse(error, 2)
    except LazyLabError as error:
        return _refuse(error, 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1


def _refuse(error: Exception, code: int) -> int:
    print(f"lazycore: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="lazycore", description="Lazy training, seen.", allow_abbrev=False)
    calls = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    for command in (runs, sweeps, checks, queue, data):
        command.add(calls, _Parser)
    return parser
