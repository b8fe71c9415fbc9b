"""Sweeps as text: from what boxes hold to a `SweepConfig`."""

import streamlit as st

from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError

MOST_CELLS = 4000
"""Cells of a sweep that a page takes: each costs a third of a millisecond and three kilobytes."""


@st.cache_resource(max_entries=12, show_spinner=False)
def sweep_of(items: tuple[tuple[str, str], ...]) -> SweepConfig:
    """Return the sweep, which costs time, while the page is drawn over and over."""
    return SweepConfig.from_text(dict(items), MOST_CELLS)


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
