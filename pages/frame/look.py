"""What the theme cannot say: less air at the top, and compact rows under the figures,
a contrast of 4.5 in captions, and what a telephone needs."""

import streamlit as st

CSS = """<style>
[data-testid="stMainBlockContainer"] { padding: 4.2rem 2.5rem 3rem; }
[data-testid="stSidebarHeader"] { height: 2.5rem; margin-bottom: 0; }
[data-testid="stMetricLabel"] p { font-size: 0.85rem; }
[data-testid="stLayoutWrapper"]:has(> :is(.st-key-history, .st-key-fetch, .st-key-navigation)) {
  display: none; }
[data-testid="stCaptionContainer"] { opacity: 0.76; }
[data-testid="stCaptionContainer"]:has(a) { opacity: 1; }
.stMultiSelect [data-tag-index] { background-color: #00659E; }
[data-testid="stMetricLabel"] * { white-space: normal !important; overflow: visible; }
[data-testid="stMetricValue"] * { white-space: normal; overflow-wrap: anywhere; }
[data-testid="stHtml"] table { border-spacing: 0.9rem 0.2rem; }
[data-testid="stHtml"]:has(> table), [data-testid="stMarkdownContainer"]:has(> table) {
  overflow-x: auto; }
@media (max-width: 1000px) {
  [data-testid="stHorizontalBlock"]:has(.lazylab-chart) { flex-wrap: wrap; }
  [data-testid="stHorizontalBlock"]:has(.lazylab-chart) > .stColumn { min-width: 100%; }
  [data-testid="stHorizontalBlock"]:has([data-testid="stHtml"] img) { flex-wrap: wrap; }
  [data-testid="stHorizontalBlock"]:has([data-testid="stHtml"] img) > .stColumn {
    min-width: 15rem; }
  [data-testid="stHtml"] img { max-width: 22rem; }
  .stMain .katex-display > .katex { white-space: normal; line-height: 2.2; }
}
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 4.2rem 1rem 3rem; }
  .stMain .katex-display { font-size: 0.85rem; }
  .stMain table { font-size: 0.85rem; }
  .stMain th, .stMain td { padding: 0.3rem 0.4rem !important; }
}
[data-testid="stHtml"] a { color: inherit; text-underline-offset: 3px; }
[data-testid="stHtml"] a.go { display: inline-block; padding: 0.4rem 0.9rem; border-radius: 8px;
  background: #0072B2; color: #fff; text-decoration: none; white-space: nowrap; }
</style>"""


def apply_look() -> None:
    """Put the few rules on the page."""
    st.html(CSS)
