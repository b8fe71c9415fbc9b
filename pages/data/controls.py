"""Which file of one's own is looked at, and how it is read; all in the address."""

import streamlit as st

from lazycore.datasets import own, uploads
from lazycore.datasets.understood import Choices
from lazycore.errors import DataError
from pages.widgets.choices import forget_what_is_gone, one_of

FILE, TARGET, MISSING, WITHOUT, CLASSES = "d_file", "d_target", "d_missing", "d_without", "d_kind"
FOUND = "as found"
"""What leaves a choice to the file."""
EXAMPLE = "example.csv"
KINDS = (FOUND, "classes", "numbers")
KEYS = {
    "data_target": TARGET,
    "data_missing": MISSING,
    "data_without": WITHOUT,
    "data_classes": CLASSES,
}
"""The control that answers a question about this field of a run."""


def data_controls() -> None:
    """Draw the controls of the Data page in the sidebar, bound to the address."""
    if "d_wrong" not in st.session_state:
        st.session_state.d_wrong = _wrong_with(st.query_params.to_dict())
    with st.sidebar:
        names = sorted(own.names(), key=lambda name: name != EXAMPLE)
        forget_what_is_gone(FILE, names)
        name = st.selectbox("File", names, key=FILE, bind="query-params", on_change=start_anew)
        options = [FOUND, *columns(name)]
        forget_what_is_gone(TARGET, options)
        st.selectbox("Target", options, key=TARGET, bind="query-params")
        one_of("Target is", list(KINDS), CLASSES, "Classes, or real numbers.")
        said = "drop rows: they are left out; mean: that of the training points is put there."
        one_of("Missing values", ["refuse", "drop_rows", "mean"], MISSING, said)
        st.text_input(
            "Columns left out",
            key=WITHOUT,
            max_chars=200,
            placeholder="none",
            help="Names or numbers of columns with + between them, as in id+date.",
            bind="query-params",
        )


def columns(name: str) -> tuple[str, ...]:
    """Return the names of the columns of a table, none where it cannot be read."""
    try:
        return uploads.preview(name)[0]
    except DataError:
        return ()


def chosen() -> tuple[str, Choices]:
    """Return the file and how it is to be read, once the controls have been drawn."""
    state = st.session_state
    target = state.get(TARGET) or FOUND
    without = str(state.get(WITHOUT) or "").strip()
    return state[FILE], Choices(
        target="" if target == FOUND else target,
        missing=state.get(MISSING) or "refuse",
        without=tuple(without.split("+")) if without else (),
        kind="" if state.get(CLASSES, FOUND) == FOUND else state[CLASSES],
    )


def link_error() -> str:
    """Return what is wrong with the link that opened the page, until another file is chosen."""
    return st.session_state.get("d_wrong", "")


def start_anew() -> None:
    """Forget how another file was to be read."""
    st.session_state.d_wrong = ""
    st.session_state[TARGET], st.session_state[CLASSES] = FOUND, FOUND
    st.session_state[MISSING], st.session_state[WITHOUT] = "refuse", ""


def answer(field: str, option: str) -> None:
    """Set the control of this field to an answer; columns are left out beside those before."""
    value = option
    if field == "data_classes":
        value = "numbers" if option == "0" else "classes"
    elif field == "data_without" and (before := st.session_state.get(WITHOUT)):
        value = f"{before}+{option}"
    st.session_state[KEYS[field]] = value


def _wrong_with(asked: dict[str, str]) -> str:
    name = asked.get(FILE)
    if name is None or name in own.names():
        return ""
    return f"there is no file {name[:40]!r} here: put it in below, or choose another."
