"""Errors that are meant for the person, shown as the sentence that they are."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from lazycore.errors import LazyLabError


@contextmanager
def said_in_a_sentence() -> Iterator[None]:
    """Show an expected error as its own text; anything else is a bug and goes on up."""
    try:
        yield
    except LazyLabError as error:
        st.error(str(error), icon=":material/error:")
