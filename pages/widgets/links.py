"""Addresses of the pages: every state of them is a link."""

from urllib.parse import urlencode, urljoin

import streamlit as st

from lazycore.config.run import RunConfig


def link(config: RunConfig, page: str = "explore") -> str:
    """Return the address of this run with every default written out."""
    fields = {k: v for k, v in config.resolve().to_text().items() if v != ""}
    return page_address(page, **fields, v="1")


def page_address(page: str, **parameters: str) -> str:
    """Return the address of a page with these parameters, below what a proxy gives the server."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}/{page}?{urlencode(parameters, safe=':,')}"


def whole_link(config: RunConfig) -> str:
    """Return the address of this run as it can be sent to someone: with the server's name."""
    return urljoin(st.context.url or "", link(config))
