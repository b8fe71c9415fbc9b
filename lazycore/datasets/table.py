"""A text of rows and columns as a grid of cells: its encoding, separator and line of names."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lazycore.datasets.numerals import Style, is_missing, is_numbered, number, style_of
from lazycore.errors import DataError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}
LOOKED_AT, WIDE, TRIED = 200, 1000, 50
"""Lines, and cells of each, that tell the separator and how numbers are written; rows that tell
whether the first one is of names."""

Row = tuple[int, list[str]]
"""The number of a line, from 1, and its cells."""


@dataclass(frozen=True)
class Grid:
    """Cells by column, before anything is taken to mean something.

    names: of the columns, empty where one has none; None without a line of names. numbered:
    the names only count the columns. lines: the line of the file in which each row is.
    """

    names: tuple[str, ...] | None
    numbered: bool
    columns: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    style: Style
    notes: tuple[str, ...]


def read(data: bytes, where: str, cure: str, most: int, widest: int) -> Grid:
    """Return the cells of a table, without empty lines and leading comments.

    Raises `DataError` for what is not text, for rows of different lengths or wider than
    `widest`, and for more than `most` rows before any is read.
    """
    if data.count(b"\n") > most + 1:
        raise DataError(f"{where} has more than the {most:,} rows that are read; {cure}.")
    text, notes = _decoded(data, where, cure)
    lines = list(enumerate(text.splitlines(), 1))
    lines, separator, comment = _without_preface(lines)
    separator = separator or _separator([line for _, line in lines[:LOOKED_AT]])
    try:
        rows = _rows(lines, separator)
        above = _cells(comment, separator) if comment else []
    except csv.Error as error:
        raise DataError(f"{where} is not a table of numbers ({error}); {cure}.") from error
    if separator != ",":
        notes.append(f"Columns are parted by {SEPARATORS.get(separator, repr(separator))}.")
    if not rows or max(len(cells) for _, cells in rows[:2]) < 2:
        raise DataError(
            f"{where} holds no rows of at least two numbers or words, a target and what it is "
            f"learned from; {cure}."
        )
    if len(rows[0][1]) > widest:
        raise DataError(f"{where} has more than the {widest:,} columns that are read; {cure}.")
    _without_title(rows, notes)
    _even_out(rows)
    style = style_of((cell for _, row in rows[:LOOKED_AT] for cell in row[:WIDE]), separator)
    if style.decimal_comma:
        notes.append("Commas in numbers are decimal signs.")
    names, numbered = _names(rows, style)
    if names is None and len(above) == len(rows[0][1]) and not _any_number(above, style):
        names = tuple(above)
    elif names is not None:
        rows = _without_repeated(rows, names, notes)
    _check_lengths(rows, names, where, cure)
    columns = tuple(zip(*(cells for _, cells in rows), strict=True))
    return Grid(names, numbered, columns, tuple(line for line, _ in rows), style, tuple(notes))


def _without_title(rows: list[Row], notes: list[str]) -> None:
    """Take words in a line of their own above a table away."""
    alone = len(rows) > 2 and len(rows[0][1]) == 1 < len(rows[1][1])
    if alone and not _any_number(rows[0][1], Style()):
        notes.append(f"The first line is taken for a title: {rows.pop(0)[1][0][:60]}.")


def _check_lengths(rows: list[Row], names: Sequence[str] | None, where: str, cure: str) -> None:
    """Refuse a table without rows, and rows of another length than the first."""
    if not rows:
        raise DataError(f"{where} holds no rows of at least two numbers below its names; {cure}.")
    first = len(rows[0][1] if names is None else names)
    for line, cells in rows:
        if len(cells) != first:
            raise DataError(
                f"row {line} of {where} has {len(cells)} columns and the first has {first}; {cure}."
            )


def _decoded(data: bytes, where: str, cure: str) -> tuple[str, list[str]]:
    """Return the text in these bytes, and what there is to say of it."""
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text, notes = data.decode("utf-16" if wide else "utf-8-sig"), []
    except UnicodeDecodeError as error:
        if wide or re.search(rb"[\x00-\x08\x0e-\x1a]", data):
            raise DataError(f"{where} is not text in UTF-8 or UTF-16; {cure}.") from error
        text = data.decode("cp1252", errors="replace")
        notes = ["The text is not in UTF-8 and was read as Latin-1 (Windows-1252)."]
    if "\0" in text:
        raise DataError(f"{where} is not text in UTF-8 or UTF-16; {cure}.")
    return text, notes


def _without_preface(lines: list[tuple[int, str]]) -> tuple[list[tuple[int, str]], str, str]:
    """Return the lines without empty ones and leading comments; the separator that Excel's
    first line names, and the last comment: the names may be in it."""
    lines = [(number, line) for number, line in lines if line.strip()]
    separator, comment = "", ""
    if lines and (found := re.fullmatch(r"\"?sep=(.)\"?", lines[0][1].strip("\r\n"))):
        separator, lines = found[1], lines[1:]
    begun = next((i for i, (_, line) in enumerate(lines) if line.lstrip()[0] not in "#%"), 0)
    if begun:
        comment = lines[begun - 1][1].lstrip("#% ")
    return lines[begun:], separator, comment


def _cells(line: str, separator: str) -> list[str]:
    return [cell for _, row in _rows([(1, line)], separator) for cell in row]


def _rows(lines: Sequence[tuple[int, str]], separator: str) -> list[Row]:
    """Return the rows in these lines; what is between quotes may go over several."""
    texts = [line.strip() if separator == " " else line for _, line in lines]
    reader = csv.reader(texts, delimiter=separator, skipinitialspace=True)
    rows, begun = [], 0
    for cells in reader:
        cells = [cell.strip() for cell in cells]
        if any(cells):
            rows.append((lines[begun][0], cells))
        begun = reader.line_num
    return rows


def _separator(lines: list[str]) -> str:
    """Return what parts the columns: it gives most lines one length, and cells without others.

    A blank counts only where nothing else does.
    """
    best, most = ",", 0.0
    for separator in SEPARATORS:
        try:
            rows = [cells for _, cells in _rows(list(enumerate(lines)), separator)]
        except csv.Error:
            continue
        widths = Counter(len(cells) for cells in rows)
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        others = set(SEPARATORS) - {separator, " "}
        cells = [cell for row in rows for cell in row[:WIDE]]
        clean = sum(not others & set(cell) or _is_decimal(cell) for cell in cells)
        score = count / len(rows) * clean / len(cells) if width > 1 else 0.0
        if score > most + (0.3 if separator == " " and most else 1e-9):
            best, most = separator, score
    return best


def _is_decimal(cell: str) -> bool:
    return number(cell, Style(decimal_comma=True)) is not None


def _even_out(rows: list[Row]) -> None:
    """Give a line of names the length of the rows below: R leaves out the name of row names,
    and separators may end the lines of one kind only."""
    if len(rows) < 2:
        return
    (line, first), (_, second) = rows[0], rows[1]
    if len(first) == len(second) + 1 and not first[-1]:
        rows[0] = line, first[:-1]
    elif len(first) == len(second) - 1 and not _any_number(first, Style()):
        trailing = all(not cells[-1] for _, cells in rows[1:])
        rows[0] = line, [*first, ""] if trailing else ["", *first]


def _names(rows: list[Row], style: Style) -> tuple[tuple[str, ...] | None, bool]:
    """Return the names in the first row, which is taken away, or None; and whether they only
    count.

    Names are words above numbers; whole numbers that count up beside such words; years; and a row
    that is nothing but 0, 1, 2, … or 1, 2, 3, … Where all columns are words, a first row of
    which no cell comes again in its column.
    """
    first, below = rows[0][1], [cells for _, cells in rows[1 : TRIED + 1]]
    below = [cells for cells in below if len(cells) == len(first)]
    if not below:
        return (None if _any_number(first, style) else _taken(rows)), False
    numeric = [_is_numeric([cells[i] for cells in below], style) for i in range(len(first))]
    wordy = [not is_missing(cell) and number(cell, style) is None for cell in first]
    counted = [cell for cell in first if number(cell, style) is not None]
    if any(words and under for words, under in zip(wordy, numeric, strict=True)):
        whole = not counted or (len(counted) >= 3 and is_numbered(counted))
        return (_taken(rows) if whole else None), False
    words = [i for i, is_word in enumerate(wordy) if is_word]
    if words and len(counted) >= 2 and is_numbered(counted) and _are_years(counted):
        # Of each country, say, the numbers of some years.
        return (_taken(rows) if _new(first, below, words) else None), False
    if not counted and all(wordy) and _all_new(first, below):
        return _taken(rows), False
    bare = [cell for cell in first if cell]
    if len(bare) >= len(first) - 1 and is_numbered(bare) and _is_count(bare, below, numeric, style):
        return _taken(rows), True
    return None, False


def _is_count(bare: list[str], below: list[list[str]], numeric: list[bool], style: Style) -> bool:
    """Whether a row of numbers that count up is of names, rather than the first of the data."""
    if bare[0] not in ("0", "1"):
        return False
    if len(bare) >= 5 or (len(bare) >= 3 and (bare[0] == "0" or not all(numeric))):
        return True
    values = [[number(cell, style) for cell in cells] for cells in below]
    columns = zip(*values, strict=True)
    broken = [any(v is not None and v % 1.0 for v in column) for column in columns]
    return all(broken) or (len(bare) >= 3 and any(broken))


def _is_numeric(cells: list[str], style: Style) -> bool:
    there = [cell for cell in cells if not is_missing(cell)]
    return 2 * sum(number(cell, style) is not None for cell in there) >= max(1, len(there))


def _any_number(cells: Sequence[str], style: Style) -> bool:
    return any(number(cell, style) is not None for cell in cells)


def _all_new(first: list[str], below: list[list[str]]) -> bool:
    different = len(set(first)) == len(first) and len(below) > 2
    return different and _new(first, below, range(len(first)))


def _new(first: list[str], below: list[list[str]], columns: Iterable[int]) -> bool:
    """Whether none of these cells comes again in its column."""
    return not any(first[i] in {cells[i] for cells in below} for i in columns)


def _are_years(cells: Sequence[str]) -> bool:
    return all(1800 <= int(cell) <= 2200 for cell in cells)


def _taken(rows: list[Row]) -> tuple[str, ...]:
    return tuple(rows.pop(0)[1])


def _without_repeated(rows: list[Row], names: Sequence[str], notes: list[str]) -> list[Row]:
    """Return the rows without those that are the line of names again, as of files put together."""
    kept = [(line, cells) for line, cells in rows if cells != list(names)]
    if len(kept) < len(rows):
        notes.append(f"The line of names comes again, {len(rows) - len(kept)} times: left out.")
    return kept
