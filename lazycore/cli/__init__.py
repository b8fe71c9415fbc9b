"""`lazylab run | sweep | worker | jobs | check | data | new`, which `python -m lazycore` is too:
all without the pages. `lazylab app` starts the pages.

A wrong call ends with 2, a refused or failed one with 1; both print one sentence to standard
error and nothing to standard output.
"""

import argparse
import difflib
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from lazycore import __version__
from lazycore.cli import app, checks, data, new, queue, runs, sweeps
from lazycore.config.axes import DERIVED
from lazycore.config.run import all_fields
from lazycore.errors import ConfigError, LazyLabError


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence and nothing else."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[0].lower()}{message[1:]} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None, program: str = "lazycore") -> int:
    """Return the exit code of the call with these arguments (the process's when None).

    program: the name by which it was called, for what it says.
    """
    try:
        given = _joined(sys.argv[1:] if arguments is None else arguments)
        if given[:1] == ["worker"]:  # its flags are its own, which argparse cannot leave alone
            return queue.work(given[1:], program)
        parser = _parser(program)
        options, unknown = parser.parse_known_args(given)
        if unknown:
            raise ConfigError(_no_option(unknown[0], _called(parser, given)))
        return options.call(options)
    except ConfigError as error:
        return _refuse(program, error, 2)
    except LazyLabError as error:
        return _refuse(program, error, 1)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1


def _joined(arguments: Sequence[str]) -> list[str]:
    """Return the arguments, a negative number joined to the field before it: it is no flag."""
    fields = {f"--{name.replace('_', '-')}" for name in [*all_fields(), *DERIVED]}
    found: list[str] = []
    for word in arguments:
        if found and found[-1] in fields and re.match(r"-(\.?\d|inf)", word):
            found[-1] = f"{found[-1]}={word}"
        else:
            found.append(word)
    return found


def _called(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser of the command that these words name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for place, word in enumerate(words):
                if word in action.choices:
                    return _called(action.choices[word], words[place + 1 :])
    return parser


def _no_option(word: str, parser: argparse.ArgumentParser) -> str:
    if not word.startswith("-"):
        return f"{word} is one word too many (see {parser.prog} --help)."
    close = difflib.get_close_matches(word.split("=")[0], parser._option_string_actions, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"there is no option {word}.{hint} (see {parser.prog} --help)"


def _refuse(program: str, error: Exception, code: int) -> int:
    print(f"{program}: {error}", file=sys.stderr)
    return code


def _parser(program: str) -> argparse.ArgumentParser:
    parser = _Parser(prog=program, description="Lazy training, seen.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"lazylab {__version__}")
    calls = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    for command in (app, runs, sweeps, checks, queue, data, new):
        command.add(calls, _Parser)
    return parser
