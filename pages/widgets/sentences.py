"""What is said on a page in words of others: errors, names from a link, a file or a record.

Streamlit takes every text for markdown, where a name can be a link, a picture, a formula or an
icon. Whatever is not written here goes through `plain`; messages through `show_error`,
`show_warning` and `show_info`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from lazycore.datasets import own
from lazycore.errors import LazyLabError, brief

_SIGNS = re.compile(r"([\\`*\[\]<|~$&]|(?<![^\W_])_|_(?![^\W_]))")
"""What begins or ends something in markdown wherever it stands; `_` not within a name."""
_AT_THE_START = re.compile(r"^(\d*)([-+=.)#>])")
_AFTER_PARSING = re.compile(r"(:(?=[a-z/]|[\w+-]+:)|www(?=\.)|@)", re.IGNORECASE)
"""What markdown makes links and icons of although its signs are escaped: `http://…`, `www.…`,
`a@b.c`, `:name:`. A sign without width keeps it from that."""
_NOTHING = "\u2060"


def plain(text: object) -> str:
    """Return words of others as markdown that says just them, in one line.

    Left out are where the folder of own files lies, and signs that control or turn the text.
    """
    words = " ".join(str(text).replace(f"{own.folder()}/", "").split())
    words = "".join(sign if sign.isprintable() else "�" for sign in words)
    words = _AFTER_PARSING.sub(rf"\1{_NOTHING}", words)
    return _AT_THE_START.sub(r"\1\\\2", _SIGNS.sub(r"\\\1", words))


def show_error(text: object, icon: str = ":material/error:") -> None:
    """Show a message as the words that it is, at most 300 characters."""
    st.error(plain(brief(str(text))), icon=icon)


def show_warning(text: object, icon: str = ":material/warning:") -> None:
    """Show a warning as the words that it is, at most 300 characters."""
    st.warning(plain(brief(str(text))), icon=icon)


def show_info(text: object, icon: str = ":material/info:") -> None:
    """Show a remark as the words that it is, at most 300 characters."""
    st.info(plain(brief(str(text))), icon=icon)


def show_link_error(text: str) -> None:
    """Show what is wrong with the link that opened a page; nothing for an empty text."""
    if text:
        show_error(text, icon=":material/link_off:")


@contextmanager
def said_in_a_sentence() -> Iterator[None]:
    """Show an expected error as its own text; anything else is a bug and goes on up."""
    try:
        yield
    except LazyLabError as error:
        show_error(error)
