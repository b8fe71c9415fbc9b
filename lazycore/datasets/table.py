"""A table of numbers as text: comma, semicolon or tab between the columns, the target last."""

import csv
import math

import numpy as np

from lazycore.errors import DataError

SEPARATORS = ",;\t"


def read(data: bytes, where: str, cure: str, most: int) -> np.ndarray:
    """Return the numbers (n, columns) of a CSV file; a first line of names is left out.

    Raises `DataError` with the row for what is not a finite number, or of another length, and
    for more than `most` rows before any is read.
    """
    if data.count(b"\n") > most + 1:
        raise DataError(f"{where} has more than the {most:,} rows that are read; {cure}.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not text in UTF-8; {cure}.") from error
    head = text.partition("\n")[0]
    separator = max(SEPARATORS, key=head.count)
    try:
        lines = [line for line in csv.reader(text.splitlines(), delimiter=separator) if line]
    except csv.Error as error:
        raise DataError(f"{where} is not a table of numbers ({error}); {cure}.") from error
    # Names have no number among them: a row with one bad cell is refused, not left out.
    first = 1 if lines and not any(_is_number(cell) for cell in lines[0]) else 0
    rows = [_row(line, number, where, cure) for number, line in enumerate(lines[first:], first + 1)]
    if not rows or len(rows[0]) < 2:
        raise DataError(f"{where} holds no rows of at least two numbers, the target last; {cure}.")
    for number, row in enumerate(rows, first + 1):
        if len(row) != len(rows[0]):
            raise DataError(
                f"row {number} of {where} has {len(row)} columns and the first has "
                f"{len(rows[0])}; {cure}."
            )
    return np.array(rows)


def _row(cells: list[str], number: int, where: str, cure: str) -> list[float]:
    for cell in cells:
        if not _is_number(cell) or not math.isfinite(float(cell)):
            shown = repr(cell.strip()[:20]) if cell.strip() else "an empty cell"
            raise DataError(f"row {number} of {where} holds {shown}, no finite number; {cure}.")
    return [float(cell) for cell in cells]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
