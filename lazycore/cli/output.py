"""What every call prints and writes: results, files, and how far it is."""

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lazycore.errors import ConfigError
from lazycore.results import npz


def add_outcome(parser: argparse.ArgumentParser) -> None:
    """Give a call its options for what comes out."""
    parser.add_argument("--json", metavar="FILE", help="write it as JSON (-: standard output)")
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda:0, …; default: a GPU if any")
    parser.add_argument("--no-budget", action="store_true", help="lift the limit on cost")


def check_folders(options: argparse.Namespace) -> None:
    """Raise `ConfigError` where a file that is asked for could not be written."""
    for path in (options.out, options.json):
        if path in (None, "-"):
            continue
        try:
            _check_file(Path(path))
        except OSError as error:
            raise ConfigError(f"cannot write {path}: {error.strerror}.") from error


def _check_file(path: Path) -> None:
    if not path.resolve().parent.is_dir():
        raise ConfigError(f"cannot write {path}: there is no such folder.")
    if path.is_dir():
        raise ConfigError(f"cannot write {path}: it is a folder; give the name of a file.")
    if not os.path.lexists(path):
        path.open("xb").close()
        path.unlink()
    elif path.exists() and not os.access(path, os.W_OK):  # not by opening it: it may be a pipe
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def show(options: argparse.Namespace, result: Any, summary: Callable[[Any], str]) -> None:
    """Print the result's summary, and write it as JSON where that is asked for: to a file
    besides, or alone to standard output."""
    text = json.dumps(result.to_dict(), allow_nan=False) if options.json else ""
    if options.json == "-":
        print(text)
        return
    if options.json:
        write(options.json, text.encode())
    print(summary(result))


def write(path: str, data: bytes) -> None:
    """Write a file, or say in a sentence why not."""
    npz.written(path, lambda: Path(path).write_bytes(data))


def progress(text: str) -> None:
    """Show how far a long call is, on a terminal only; an empty text takes it away."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
