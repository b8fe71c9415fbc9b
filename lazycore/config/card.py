"""What an object shows of itself: a few lines in a terminal, a small table in a notebook.

Every style stands at its element, for viewers of notebooks that take style sheets away; colours
are those of the page around it, so that a card is read on white and on near-black.
"""

import html
from dataclasses import dataclass
from typing import Any

TONES = {"lazy": "#009E73", "crossover": "#CC79A7", "rich": "#D55E00", "undecided": "#8A8F98"}
"""A colour for each verdict; the word always stands beside it."""
UNFINISHED = "#8A8F98"
LONGEST_WORD = 60
"""Characters of a value in a card."""

Rows = tuple[tuple[str, str], ...]

BOX = "font-family:sans-serif;font-size:13px;line-height:1.45;padding:10px 14px;max-width:860px;"
BOX += "border:1px solid rgba(128,128,128,.35);border-radius:6px;background:none"
NAME = "background:none;padding:1px 14px 1px 0;text-align:left;vertical-align:top;opacity:.75;"
NAME += "white-space:nowrap;font-weight:400"
VALUE = "background:none;padding:1px 14px 1px 0;text-align:left;vertical-align:top"


@dataclass(frozen=True, kw_only=True)
class Card:
    """One object in short.

    kind: its class. head: what it came to, first of all. tone: the verdict whose colour the head
    has; "" for none. said: a sentence about it. rows: names and values. notes: sentences.
    more: what is opened by a click in a notebook, by its title; a terminal does without.
    """

    kind: str
    head: str
    tone: str = ""
    said: str = ""
    rows: Rows = ()
    notes: tuple[str, ...] = ()
    more: tuple[tuple[str, Rows], ...] = ()

    def text(self) -> str:
        """Return the card for a terminal: a line for the head and one for each row."""
        wide = max((len(name) for name, _ in self.rows), default=0)
        lines = [f"  {name:<{wide}}  {value}" for name, value in self.rows]
        said = [f"  {self.said}"] if self.said else []
        return "\n".join(_printable(line) for line in [f"{self.kind}: {self.head}", *said, *lines])

    def html(self, picture: str = "") -> str:
        """Return the card for a notebook. picture: an SVG that stands beside the numbers.

        All text is escaped: names of files and messages are whatever somebody wrote.
        """
        color = TONES.get(self.tone, UNFINISHED)
        head = (
            f'<div style="border-left:5px solid {color};padding-left:9px">'
            f'<span style="opacity:.75">{_escaped(self.kind)}</span> '
            f'<strong style="font-size:16px">{_escaped(self.head)}</strong></div>'
        )
        said = [f'<div style="margin:6px 0">{_escaped(line)}</div>' for line in self._sentences]
        beside = f'<div style="flex:none">{picture}</div>' if picture else ""
        numbers = (
            '<div style="display:flex;flex-wrap:wrap;gap:8px 28px;align-items:flex-start">'
            f"<div>{table(self.rows)}</div>{beside}</div>"
        )
        opened = [
            f'<details style="margin-top:6px"><summary style="cursor:pointer">{_escaped(title)}'
            f"</summary>{table(rows)}</details>"
            for title, rows in self.more
        ]
        return f'<div style="{BOX}">{"".join([head, *said, numbers, *opened])}</div>'

    @property
    def _sentences(self) -> list[str]:
        return [line for line in (self.said, *self.notes) if line]


def table(rows: Rows) -> str:
    """Return rows of names and values as an HTML table, escaped."""
    cells = "".join(
        f'<tr style="background:none"><th scope="row" style="{NAME}">{_escaped(name)}</th>'
        f'<td style="{VALUE}">{_escaped(value)}</td></tr>'
        for name, value in rows
    )
    return (
        f'<table style="border:none;border-collapse:collapse;margin:4px 0;'
        f'font-size:13px;color:inherit">{cells}</table>'
    )


def word(value: Any) -> str:
    """Return a value as it stands in a card: one line, not too long.

    >>> word(0.1), word(1e6), word(None)
    ('0.1', '1e+06', '–')
    """
    if value is None:
        return "–"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    text = _printable(text)
    return text if len(text) <= LONGEST_WORD else text[: LONGEST_WORD - 1] + "…"


def _printable(text: str) -> str:
    """Return text whose signs can all be seen: none moves the cursor or turns the direction."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def _escaped(text: str) -> str:
    return html.escape(_printable(text))
