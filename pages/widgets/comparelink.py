"""The way to Compare from wherever runs are listed."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from pages.widgets.links import page_address


def compare_link(names: Sequence[str], label: str) -> None:
    """Draw the link that opens Compare with these runs and groups, as links name them."""
    address = page_address("compare", runs=",".join(names))
    st.html(f'<a class="go" href="{escape(address)}" target="_self">{escape(label)}</a>')
