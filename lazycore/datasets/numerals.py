"""Cells of a table as numbers, as people and their programs write them."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MISSING = frozenset(
    ("", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nil", "missing", "?", "-", "--", ".")
)
"""What stands for a value that is not there, in small letters."""

MINUS = {ord("\u2212"): "-", ord("\xa0"): " ", ord("\u202f"): " "}
DRESSED = re.compile(r"([+-]?)[$€£¥]? ?([\d.,' ]*\d[\d.,' ]*(?:[eE][+-]?\d+)?) ?[%€$£¥]?")
LONGEST = 64
"""Signs that a number has at most, with all that is beside it."""
PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
BY_COMMAS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
BY_POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d+)?")
BY_SPACES = re.compile(r"[+-]?[1-9]\d{0,2}([ ']\d{3})+([.,]\d+)?")


@dataclass(frozen=True)
class Style:
    """How the numbers of a file are written.

    decimal_comma: 1,5 is one and a half. grouped: 1,234 (1.234 where the comma is the decimal
    sign) is a thousand and more.
    """

    decimal_comma: bool = False
    grouped: bool = False


def is_missing(cell: str) -> bool:
    """Whether this cell stands for a value that is not there."""
    return cell.lower() in MISSING


def number(cell: str, style: Style) -> float | None:
    """Return the finite number that a cell stands for, None where it stands for none.

    A sign of a currency or per cent beside a number is left out.
    """
    if cell.isalpha():
        return None
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    else:
        if math.isfinite(value) and not (style.decimal_comma and style.grouped) and "_" not in cell:
            return value
    found = _undressed(cell)
    if not found:
        return None
    text = _pointed(found[1] + found[2].strip(), style)
    if not PLAIN.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def style_of(cells: Iterable[str], separator: str) -> Style:
    """Return how the numbers among these cells are written.

    Where `1,234` alone leaves it open, it is a thousand in a file with commas or bars between
    its columns, and a decimal number with semicolons or tabs, as spreadsheets write them.
    """
    found = (_undressed(cell) for cell in cells if "," in cell or "." in cell)
    bare = (match[1] + match[2].strip() for match in found if match)
    written = [text for text in bare if re.fullmatch(r"[+-]?[\d.,]+", text)]
    commas = [text for text in written if "," in text]
    if not commas:
        return Style()
    both = [text for text in commas if "." in text]
    if both:
        decimal = sum(text.rfind(",") > text.rfind(".") for text in both) * 2 > len(both)
    elif any(not BY_COMMAS.fullmatch(text) for text in commas):
        decimal = True
    else:
        decimal = separator in ";\t" and all(text.count(",") == 1 for text in commas)
    pointed = [text for text in written if "." in text and "," not in text]
    if decimal:
        grouped = bool(both) or (bool(pointed) and all(BY_POINTS.fullmatch(t) for t in pointed))
        return Style(True, grouped)
    return Style(False, True)


def is_numbered(cells: Sequence[str]) -> bool:
    """Whether these cells are whole numbers that count up by one, as names of columns."""
    if not cells or not all(re.fullmatch(r"\d{1,9}", cell) for cell in cells):
        return False
    return all(int(b) == int(a) + 1 for a, b in zip(cells, cells[1:], strict=False))


def _undressed(cell: str) -> re.Match | None:
    """Return the sign and the digits of a number, without what may stand beside them."""
    return DRESSED.fullmatch(cell.translate(MINUS)) if len(cell) <= LONGEST else None


def _pointed(text: str, style: Style) -> str:
    """Return a number as Python writes it; what is none stays none."""
    if BY_SPACES.fullmatch(text):
        text = text.replace(" ", "").replace("'", "")
    if style.decimal_comma:
        if style.grouped and BY_POINTS.fullmatch(text):
            text = text.replace(".", "")
        return text.replace(",", ".")
    return text.replace(",", "") if style.grouped and BY_COMMAS.fullmatch(text) else text
