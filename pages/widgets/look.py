"""What the theme cannot say: less air at the top, and compact rows under the figures."""

import streamlit as st

CSS = """<style>
[data-testid="stMainBlockContainer"] { padding: 4.2rem 2.5rem 3rem; }
[data-testid="stSidebarHeader"] { height: 2.5rem; margin-bottom: 0; }
[data-testid="stMetricLabel"] p { font-size: 0.85rem; }
[data-testid="stLayoutWrapper"]:has(> .st-key-history) { display: none; }
[data-testid="stHtml"] a { color: inherit; text-underline-offset: 3px; }
[data-testid="stHtml"] a.go { display: inline-block; padding: 0.4rem 0.9rem; border-radius: 8px;
  background: #0072B2; color: #fff; text-decoration: none; white-space: nowrap; }
</style>"""


def apply_look() -> None:
    """Put the few rules on the page."""
    st.html(CSS)
