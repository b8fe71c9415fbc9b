"""`python -m lazycore run | sweep | worker | jobs | check | data`: the same without the pages.

A wrong call ends with 2, a refused or failed one with 1; both print one sentence to standard
error and nothing to standard output.
"""

import argparse
import difflib
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from lazycore.cli import checks, data, queue, runs, sweeps
from lazycore.config import all_fields
from lazycore.errors import ConfigError, LazyLabError
from lazycore.sweepaxes import DERIVED


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence and nothing else."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[0].lower()}{message[1:]} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit code of the call with these arguments (the process's when None)."""
    try:
        given = _joined(sys.argv[1:] if arguments is None else arguments)
        if given[:1] == ["worker"]:  # its flags are its own, which argparse cannot leave alone
            return queue.work(given[1:])
        options, unknown = _parser().parse_known_args(given)
        if unknown:
            raise ConfigError(_no_option(unknown[0], options.command))
        return options.call(options)
    except ConfigError as error:
        return _refuse(error, 2)
    except LazyLabError as error:
        return _refuse(error, 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1


def _joined(arguments: Sequence[str]) -> list[str]:
    """Return the arguments, each negative number joined to its flag: it is not one itself."""
    found: list[str] = []
    for word in arguments:
        flag = found[-1] if found else ""
        if re.match(r"-\.?\d", word) and flag.startswith("--") and "=" not in flag:
            found[-1] = f"{flag}={word}"
        else:
            found.append(word)
    return found


def _no_option(word: str, command: str) -> str:
    options = [f"--{name.replace('_', '-')}" for name in [*all_fields(), *DERIVED]]
    close = difflib.get_close_matches(word.split("=")[0], options, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"there is no option {word}.{hint} (see lazycore {command} --help)"


def _refuse(error: Exception, code: int) -> int:
    print(f"lazycore: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="lazycore", description="Lazy training, seen.", allow_abbrev=False)
    calls = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    for command in (runs, sweeps, checks, queue, data):
        command.add(calls, _Parser)
    return parser
