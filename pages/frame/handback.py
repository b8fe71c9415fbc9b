"""Hand a page its controls back when it is entered again, to the browser and into its address.

Streamlit keeps the values of bound controls through navigation and tells the browser of those that
it believes changed. A browser that is still clearing up the page before (two clicks in quick
succession, a busy machine) clears the address or the boxes after that; so all are told again.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

from pages.widgets.parameters import belongs

_PAGE, _KEPT = "page drawn last", "controls by page"


@contextmanager
def handed_back(page: str) -> Iterator[None]:
    """Draw the controls of this page with their values said again where it was just entered."""
    kept = st.session_state.setdefault(_KEPT, {})
    if st.session_state.get(_PAGE, page) != page:
        for key, value in kept.get(page, {}).items():
            with suppress(StreamlitAPIException, KeyError):
                del st.query_params[key]
            st.session_state[key] = st.session_state.get(key, value)
    yield
    own = [key for key in st.query_params if belongs(key, page) and key in st.session_state]
    kept[page] = {key: st.session_state[key] for key in own}
    st.session_state[_PAGE] = page
