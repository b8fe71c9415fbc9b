"""Sweeps as text: from what boxes hold to a `SweepConfig`."""

import streamlit as st

from lazycore.errors import ConfigError
from lazycore.sweepconfig import SweepConfig


@st.cache_resource(max_entries=50, show_spinner=False)
def sweep_of(items: tuple[tuple[str, str], ...]) -> SweepConfig:
    """Return the sweep; a cell costs a millisecond, and the page is drawn over and over."""
    return SweepConfig.from_text(dict(items))


def named_fields(text: str, wrong: str) -> dict[str, str]:
    """Return the fields of `name=value name=value`.

    wrong: what is said of a part that is none.
    """
    found = {}
    for part in text.split():
        name, equals, value = part.partition("=")
        if not equals:
            raise ConfigError(f"{part[:40]} {wrong}: write name=value.")
        found[name] = value
    return found
