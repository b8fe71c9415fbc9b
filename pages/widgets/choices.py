"""What controls need whose options depend on one another, and on a link."""

from collections.abc import Sequence

import streamlit as st


def forget_what_is_gone(key: str, options: Sequence[str]) -> None:
    """What another choice had offered must not stay chosen where this one has it not."""
    if key in st.session_state and st.session_state[key] not in options:
        del st.session_state[key]


def one_of(label: str, options: list[str], key: str, said: str) -> str:
    """Return which of a few options is chosen, the first where none is; bound to the address."""
    forget_what_is_gone(key, options)
    return st.segmented_control(
        label,
        options,
        default=options[0],
        key=key,
        help=said,
        bind="query-params",
        required=True,
    )


def said_of_link(page: str, keys: Sequence[str]) -> str:
    """Return what `{page}_wrong` says of the link that opened the page, until one of these
    controls is touched."""
    now = [st.session_state.get(key) for key in keys]
    if now != st.session_state.setdefault(f"{page}_opened", now):
        st.session_state[f"{page}_wrong"] = ""
    return st.session_state.get(f"{page}_wrong", "")
