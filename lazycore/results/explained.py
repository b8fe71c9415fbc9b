"""The tables of `docs/quantities.md`, from what is declared of each quantity.

`python -m lazycore.results.explained docs/quantities.md` writes them anew between their marks.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from lazycore.results.quantities import NUMBERS, QUANTITIES, SUBJECTS
from lazycore.results.quantities.declared import OF_LOSS, OF_OUTPUTS, PATHS, Quantity

UNITS = {OF_LOSS: "of the loss", OF_OUTPUTS: "of the outputs"}
"""What a unit is called that depends on the loss of the run."""
PARTS = ("recorded", "numbers")
"""The tables, by the word in their marks."""


def tables() -> dict[str, str]:
    """Return the tables in markdown: what a record holds, by subject, and what a run comes to."""
    return {"recorded": "\n\n".join(map(_subject, SUBJECTS)), "numbers": _numbers()}


def written(page: str) -> str:
    """Return the text of a page with these tables between their marks.

    Raises `ValueError` for a page that lacks a mark.
    """
    for part, table in tables().items():
        begin, end = (f"<!-- {part}: {word} -->" for word in ("begin", "end"))
        first, rest = page.split(begin)
        page = f"{first}{begin}\n\n{table}\n\n{end}{rest.split(end)[1]}"
    return page


def _subject(file) -> str:
    title = (file.__doc__ or "").strip().splitlines()[0].rstrip(".")
    rows = [f"| {_keys(q)} | {_escaped(q.meaning)} | {_unit(q.unit)} |" for q in file.QUANTITIES]
    return "\n".join([f"### {title}", "", "| key | meaning | unit |", "|---|---|---|", *rows])


def _numbers() -> str:
    rows = [
        f"| `{name}` | {_escaped(NUMBERS[name].words)} | {_unit(NUMBERS[name].unit or '')} |"
        for name in QUANTITIES
    ]
    return "\n".join(["| column | what it is | unit |", "|---|---|---|", *rows])


def _keys(quantity: Quantity) -> str:
    names = [f"*.{quantity.name}"] if quantity.of == PATHS else quantity.keys
    return ", ".join(f"`{name}`" for name in names)


def _escaped(words: str) -> str:
    """Return words as they may stand in a cell, whose bars would end it."""
    return words.replace("|", "\\|")


def _unit(unit: str) -> str:
    return UNITS.get(unit, unit).replace("no unit", "")


def main(arguments: Sequence[str]) -> None:
    """Write the tables into the pages of these paths."""
    for path in map(Path, arguments):
        path.write_text(written(path.read_text()))


if __name__ == "__main__":
    main(sys.argv[1:])
