"""The errors a person can meet, as one tree.

    LazyLabError            worded for the person at the dashboard and shown as it is
    ├── ConfigError         a field, file or argument that is wrong: the call must change
    ├── BudgetError         a run that would cost more than the budget allows
    ├── ResultNotFound      no stored result of that digest
    ├── CorruptResult       stored bytes that are not a whole, trusted result
    ├── DataError           a data file that is missing, damaged or not what it should be
    ├── StoreFull           the disk or the size limit refused a write
    ├── JobError            the queue cannot do what was asked
    └── ExtraMissing        a package is not installed that this part of the program needs

Anything else is a bug and is shown with its type. Every message is one sentence that
names the value, what is allowed and, where there is one, the nearest cure.
"""

import re

LONGEST = 300
"""Characters of a message: more is not read."""
LONGEST_WORD = 40
"""Characters that a value which somebody gave has in a message that would be too long."""


def brief(text: str) -> str:
    """Return `text` in at most 300 characters, all of which can be seen.

    What somebody gave is shortened first: words of more than 40 characters, the longest first.
    Then the middle goes, for what is allowed stands at the end.
    """
    text = "".join(sign if sign.isprintable() else "�" for sign in text)
    for word in sorted(set(re.findall(rf"\S{{{LONGEST_WORD + 1},}}", text)), key=len)[::-1]:
        if len(text) <= LONGEST:
            return text
        text = text.replace(word, word[: LONGEST_WORD - 15] + "…" + word[-14:])
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[: half - 1].rstrip()} … {text[1 - half :].lstrip()}"[:LONGEST]


class LazyLabError(Exception):
    """Base of every error that is meant for the person using the program: one short message."""

    def __init__(self, message: str = "") -> None:
        super().__init__(brief(message))


class ConfigError(LazyLabError, ValueError):
    """A field, file or argument that is wrong."""


class BudgetError(LazyLabError):
    """A run whose estimated cost is above the budget."""


class ResultNotFound(LazyLabError, KeyError):
    """No result of that digest is stored."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class CorruptResult(LazyLabError):
    """Bytes that are not a whole, trusted result."""


class DataError(LazyLabError):
    """A data file that is missing, damaged or not what it should be."""


class StoreFull(LazyLabError):
    """The disk, or the store's own size limit, refused a write."""


class JobError(LazyLabError):
    """The queue cannot do what was asked of it."""


class ExtraMissing(LazyLabError, ImportError):
    """A package that is not installed, which a part of the program needs beside the library."""
