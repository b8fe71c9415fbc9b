"""A file of one's own on the page: put in, what was understood of it, what is asked."""

import pandas as pd
import streamlit as st

from lazycore.datasets import own, uploads
from lazycore.datasets.understood import Choices, Question, Understood
from lazycore.errors import DataError
from pages.data import controls
from pages.widgets import links
from pages.widgets.sentences import plain, show_error, show_warning

ANSWERS = 6
"""Answers that are buttons."""


def upload() -> None:
    """Draw the place for a file; what was put in is kept and looked at."""
    st.file_uploader(
        "A table as text (.csv, .tsv, .txt), one row a point, or arrays of numpy (.npz)",
        type=list(uploads.ENDINGS),
        key="upload",
        on_change=_take,
        help="It is kept in the data folder of this server, where others who use it can see it.",
    )
    if said := st.session_state.get("upload_wrong"):
        show_error(said)


def _take() -> None:
    """Keep what was put in and choose it, or say why not."""
    file = st.session_state.get("upload")
    st.session_state.upload_wrong = ""
    if file is None:
        return
    try:
        with st.spinner("Reading the file …"):
            name = uploads.keep(file.name, file.getvalue())
    except DataError as error:
        st.session_state.upload_wrong = str(error)
        return
    controls.start_anew()
    st.session_state[controls.FILE] = name


def show(name: str, choices: Choices) -> None:
    """Draw the first rows with the role of each column, and all that was understood; or what is
    asked, with its answers as buttons."""
    try:
        with st.spinner("Reading the file …"):
            found = own.describe(name, choices)
    except Question as asked:
        _ask(asked)
        names, rows = uploads.preview(name)
        _table([(column, "") for column in names], rows)
        return
    if found.question:
        _ask(found.question)
    _train(name, choices, found)
    _say(found.understood, found.question)
    _table(found.understood.columns, found.understood.preview)


def _ask(asked: Question) -> None:
    show_warning(asked, icon=":material/help:")
    for place, option in zip(st.columns(ANSWERS), asked.options[:ANSWERS], strict=False):
        label = {"data_without": "leave out ", "data_classes": "classes: "}.get(asked.field, "")
        text = "numbers" if (asked.field, option) == ("data_classes", "0") else label + option
        place.button(
            plain(text),
            key=f"answer {option}",
            on_click=controls.answer,
            args=(asked.field, option),
        )


def _say(found: Understood, question: Question | None) -> None:
    said = found.sentences[: -1 if question else None]  # asked above
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in said))


def _table(columns, rows) -> None:
    """Draw the first rows as the file has them."""
    if rows:
        heads = [f"{name} · {role}" if role else name for name, role in columns]
        heads = [h if heads.count(h) == 1 else f"{i}. {h}" for i, h in enumerate(heads[:50], 1)]
        frame = pd.DataFrame([row[:50] for row in rows], columns=pd.Index(heads[:50]))
        st.dataframe(frame, hide_index=True, width="stretch")


def _train(name: str, choices: Choices, found: own.Description) -> None:
    """Draw the link that opens Explore on this file as it is understood."""
    fields = {"task": "own", "data_file": name}
    if choices.missing != "refuse":
        fields["data_missing"] = choices.missing
    if name.endswith(".csv"):
        fields["data_target"] = found.target
        if choices.without:
            fields["data_without"] = "+".join(choices.without)
    if found.classes is None:
        return
    fields["data_classes"] = str(found.classes)
    address = links.page_address("explore", **fields)
    st.html(f'<a href="{_quoted(address)}" target="_self">Train on it in Explore</a>')


def _quoted(address: str) -> str:
    return address.replace("&", "&amp;").replace('"', "%22").replace("<", "%3C")
