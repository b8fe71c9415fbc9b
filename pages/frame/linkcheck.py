"""Say which parameters of a link its page did not read, or could not hold: none is lost in silence.

Only of the link that the browser opened; on the way from page to page the address still holds
what the page before had. What Explore and Sweep are opened by are fields, which they check
themselves.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from lazycore.errors import brief
from pages.widgets.parameters import OF_LINKS, belongs, page_at

OF_SLIDER = "_slider"
"""In the key of what is no parameter: it writes into the box beside it."""
_OPENED, _SAID = "a link was opened", "said of the link"


@contextmanager
def checked_link(page: str) -> Iterator[None]:
    """Draw the controls of this page, and look at what they made of the link that opened it."""
    is_first = _OPENED not in st.session_state
    st.session_state[_OPENED] = True
    asked = st.query_params.to_dict() if is_first and not page_at(page).checks_link else {}
    yield
    keys = [
        key for key in st.session_state if belongs(str(key), page) and OF_SLIDER not in str(key)
    ]
    now = {key: st.session_state[key] for key in keys}
    if is_first:
        st.session_state[_SAID] = "" if _is_said() else _wrong_with(asked, now, page), now
    elif st.session_state.get(_SAID, ("", {}))[1] != now:
        st.session_state[_SAID] = "", now


def said_of_what_was_not_read() -> str:
    """Return what is wrong with the link that opened this page, until a control is touched."""
    return st.session_state.get(_SAID, ("", {}))[0]


def _is_said() -> bool:
    """Whether the controls of the page have found something wrong themselves (`said_of_link`)."""
    state = st.session_state
    return any(str(key).endswith("_wrong") and state[key] for key in state)


def _wrong_with(asked: dict[str, str], now: dict[Any, Any], page: str) -> str:
    for name, text in asked.items():
        if name in OF_LINKS or name in page_at(page).without_control:
            continue
        if name not in now:
            own = ", ".join(sorted(map(str, now))) or "no parameters"
            return f"{brief(name)}={brief(text)} is not read by this page, which reads {own}."
        if not _is(now[name], text):
            return (
                f"{name}={brief(text)} is not offered here: {_words(now[name])} is shown instead."
            )
    return ""


def _is(value: Any, text: str) -> bool:
    if isinstance(value, bool):
        return text.strip().lower() == str(value).lower()
    return isinstance(value, list) or value is None or str(value) == text


def _words(value: Any) -> str:
    return "the default" if value in ("", None) else str(value)
