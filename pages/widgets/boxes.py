"""What a box holds, and the stops of the slider beside it."""

import math
from collections.abc import Sequence

import streamlit as st


def held(key: str) -> object:
    """Return what a control holds; on the first look at a link what the link says.

    A control that was just emptied is not to be asked of the address, which still says what it
    held before.
    """
    return st.session_state[key] if key in st.session_state else st.query_params.get(key)


def stops(ladder: Sequence[float], value: float, key: str) -> list[float]:
    """Return the stops of the slider `key`, the value in the box beside it among them.

    A value between two stops stays one until another is typed: while a slider is moved its stops
    are not to change.
    """
    typed = f"{key}_typed"
    if not any(math.isclose(value, step) for step in ladder):
        st.session_state[typed] = value
    more = [st.session_state[typed]] if typed in st.session_state else []
    return sorted({*ladder, *more})
