"""`python -m lazycore data`: which data sets are here, whether they are right, fetching one."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from lazycore.datasets import download, folders, images, own, registry
from lazycore.datasets.registry import SETS, ImageSet
from lazycore.datasets.understood import Choices, Understood
from lazycore.errors import DataError

MOST_WIDE = 24
"""Signs of a cell that are shown."""


def add(calls: argparse._SubParsersAction, parser_class: Callable) -> None:
    """Give the command line its command `data`."""
    data = calls.add_parser("data", help="data sets that do not ship: list, check, fetch")
    actions = data.add_subparsers(dest="action", parser_class=parser_class)
    data.set_defaults(call=_list, data_dir=None)
    listed = actions.add_parser("list", help="which sets and own files are here")
    listed.set_defaults(call=_list)
    check = actions.add_parser("check", help="read what is here and compare checksums")
    check.add_argument("names", nargs="*", metavar="NAME", help="sets; default: all that are here")
    check.set_defaults(call=_check)
    fetch = actions.add_parser("fetch", help="download a set, with its checksum")
    fetch.add_argument("name", metavar="NAME", help=", ".join(SETS))
    fetch.set_defaults(call=_fetch)
    show = actions.add_parser("show", help="how an own file is understood, before it is run on")
    show.add_argument("name", metavar="NAME", help="a file in the folder `own`")
    show.add_argument("--target", default="", metavar="COLUMN", help="as --data-target of `run`")
    show.add_argument(
        "--missing",
        default="refuse",
        choices=("refuse", "drop_rows", "mean"),
        help="as --data-missing of `run`",
    )
    show.add_argument(
        "--without", default="", metavar="COLUMNS", help="as --data-without of `run`: a+b"
    )
    show.add_argument(
        "--kind", default="", choices=("classes", "numbers"), help="what the targets are"
    )
    show.set_defaults(call=_show)
    for one in (listed, check, fetch):
        one.add_argument("--data-dir", metavar="FOLDER", help=f"default: ${folders.VARIABLE}, "
                         "then the user's cache folder")  # fmt: skip


def _list(options: argparse.Namespace) -> int:
    print(f"data folder: {options.data_dir or folders.user_folder()}")
    for found in SETS.values():
        print(f"\n{found.name}: {found.title} ({found.citation}; licence: {found.licence})")
        for part in found.parts:
            print(f"  {part + ':':6} {_where(found, part, options.data_dir)}")
    print(f"\nown files ({own.folder()}):")
    for name, said in _own():
        print(f"  {name}: {said}")
    return 0


def _check(options: argparse.Namespace) -> int:
    wrong, chosen = 0, [registry.find(name) for name in options.names] or list(SETS.values())
    for found in chosen:
        for part, size in found.parts.items():
            try:
                if not options.names and not images.is_here(found, part, options.data_dir):
                    print(f"not here  {found.name} {part}")
                    continue
                images.images(found.name, part, options.data_dir)
                print(f"right     {found.name} {part}: {size.count:,} images")
            except DataError as error:
                print(f"WRONG     {found.name} {part}: {error}")
                wrong += 1
    return 1 if wrong else 0


def _fetch(options: argparse.Namespace) -> int:
    found = registry.find(options.name)
    for path in download.fetch(found, options.data_dir, _progress):
        _say("")
        print(path)
    return 0


def _show(options: argparse.Namespace) -> int:
    without = tuple(options.without.split("+")) if options.without else ()
    choices = Choices(options.target, options.missing, without, options.kind)
    found = own.describe(options.name, choices)
    for line in _table(found.understood):
        print(line)
    print(*found.understood.sentences, sep="\n")
    return 0


def _table(found: Understood) -> list[str]:
    """Return the first rows of a file below the names of its columns and their roles."""
    if not found.preview:
        return []
    heads = [(name, f"({role})") for name, role in found.columns]
    columns = [[*head, *cells] for head, cells in zip(heads, zip(*found.preview, strict=True),
                                                      strict=True)]  # fmt: skip
    widths = [min(MOST_WIDE, max(map(len, cells))) for cells in columns]
    rows = zip(*columns, strict=True)
    return [
        "  ".join(cell[:width].rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]


def _where(found: ImageSet, part: str, data_dir: str | Path | None) -> str:
    try:
        return ", ".join(str(path) for path in images.sources(found, part, data_dir))
    except DataError as error:
        return str(error)


def _own() -> Iterator[tuple[str, str]]:
    for name in own.names():
        try:
            found = own.describe(name)
        except DataError as error:
            yield name, str(error)
            continue
        shape = "×".join(map(str, found.shape))
        targets = f"{found.classes} classes" if found.classes else "real targets"
        targets = "classes or numbers" if found.classes is None else targets
        yield name, f"{found.rows:,} points of {shape}, {targets}, data_hash {found.hash}"


def _progress(name: str, have: int, total: int | None) -> None:
    share = f" of {total / 1e6:.1f}" if total else ""
    _say(f"{name}: {have / 1e6:.1f}{share} MB")


def _say(text: str) -> None:
    """Show how far a download is, on a terminal only; an empty text takes it away."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
