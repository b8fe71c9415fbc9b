"""A row of named examples to start from, and the story of the one that is chosen."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import streamlit as st


class Story(Protocol):
    """What every example has."""

    @property
    def name(self) -> str:
        """What it is called on its pill."""
        ...

    @property
    def story(self) -> str:
        """What to look for."""
        ...


S = TypeVar("S", bound=Story)


def pill_row(key: str, stories: Sequence[S], active: S | None, take: Callable[[S], Any]) -> None:
    """Draw the examples and the story of `active`, the one that the controls hold.

    take: what a click on an example does.
    """
    drawn = f"{key}_drawn"
    st.session_state[key] = st.session_state[drawn] = active.name if active else None

    def clicked() -> None:
        # Drawn anew, the row may report what it was drawn with: that was no click.
        if st.session_state[key] != st.session_state.get(drawn):
            for story in stories:
                if story.name == st.session_state[key]:
                    take(story)

    names = [story.name for story in stories]
    st.pills("Start from", names, key=key, on_change=clicked, label_visibility="collapsed")
    if active:
        st.caption(active.story)
