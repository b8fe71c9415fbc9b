"""`python -m lazycore new paper NAME`: the folder of a paper, with a claim, its test and a page."""

import argparse
import re
from collections.abc import Callable
from datetime import date
from keyword import iskeyword
from pathlib import Path
from string import Template

from lazycore import papers
from lazycore.errors import ConfigError

TEMPLATES = Path(__file__).parent / "templates"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def add(calls: argparse._SubParsersAction, parser_class: Callable) -> None:
    """Give the command line its command `new`."""
    new = calls.add_parser("new", help="write the files of a new paper", allow_abbrev=False)
    kinds = new.add_subparsers(dest="kind", required=True, parser_class=parser_class)
    paper = kinds.add_parser("paper", help="a folder with one claim, its test and a page")
    paper.add_argument("name", metavar="NAME", help="of the folder, as deep_linear")
    paper.set_defaults(call=_paper)


def _paper(options: argparse.Namespace) -> int:
    for path in write_paper(options.name, root()):
        print(path)
    return 0


def root() -> Path:
    """Return the checkout that this library is imported from; `ConfigError` where it is none."""
    found = Path(papers.__path__[0]).parents[1]
    for part in ("pages", "tests"):
        if not (found / part).is_dir():
            raise ConfigError(f"a paper is added to a checkout, and {found} has no {part}/.")
    return found


def write_paper(name: str, place: Path) -> list[Path]:
    """Write the files of a paper and return their paths, relative to the checkout `place`.

    Raises `ConfigError` for a name that is none of a folder, and where one of the files exists:
    nothing is written then.
    """
    if not NAME.fullmatch(name) or iskeyword(name):
        raise ConfigError(f"NAME={name[:40]} is no name of a folder: give words as deep_linear.")
    words = {
        "name": name,
        "paper": name.replace("_", "-"),
        "title": name.replace("_", " ").capitalize(),
        "year": date.today().year,
    }
    whole = Template((TEMPLATES / "paper.txt").read_text(encoding="utf-8")).substitute(words)
    parts = [part.partition("\n") for part in whole.split("=== ")[1:]]
    files = {Path(path): content for path, _, content in parts}
    for path in files:
        if (place / path).exists():
            raise ConfigError(f"{path} is there already: choose another name than {name}.")
    for path, content in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(content, encoding="utf-8")
    return list(files)
