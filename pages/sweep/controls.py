"""The controls of a sweep: a box for each field, where several values make it an axis.

They are not those of one run: what is an axis here would be a wrong value there, so their
names in the address start with `s_`. A link may name the fields as the command line does
(`/sweep?alpha=1e-2:1e4:13&width=32,64`); it is then read when the page first opens.
"""

from contextlib import suppress
from functools import cache

import streamlit as st
from streamlit.errors import StreamlitAPIException

from lazycore.config import spec
from lazycore.config.axes import DERIVED, is_axis
from lazycore.config.run import all_fields, fields_read
from lazycore.config.spec import Field
from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError
from lazycore.papers.ours import home
from pages.widgets import sweeplink
from pages.widgets.boxes import held
from pages.widgets.fieldhelp import GROUPS, choice_help
from pages.widgets.jobs import Part
from pages.widgets.parameters import may_be_field
from pages.widgets.progress import link, start_and_cancel
from pages.widgets.sweeptext import named_fields, sweep_of
from pages.widgets.sweepview import View, view_controls

PREFIX = "s_"
BOXES = ("alpha", "width", "init_scale", "seed")
CHOICES = ("task", "activation", "loss")
MORE = "s_more"
SPELLING = "One value, or several: `1e-2:1e4:13`, `32,64,128`, `0:5`"
VIEW = ("x", "y", "of", "levels", "cell")
"""Parameters of a link that say what is shown of a sweep; so do those with `at_`."""


def run_controls() -> None:
    """Draw the controls of a sweep in the sidebar."""
    _read_link()
    with st.sidebar:
        st.caption(SPELLING)
        read = _fields_read()
        for name in BOXES:
            if name in read:
                _box(read[name], f"{read[name].default:g}")
        for name in CHOICES:
            if name in read:
                _choice(read[name])
        with st.expander("Advanced", icon=":material/tune:"):
            _advanced(read)
    with suppress(ConfigError):  # the page says it
        view_controls(chosen())


def given() -> dict[str, str]:
    """Return what the controls say, as text by field; empty ones are left out."""
    read = _fields_read()
    # In one order whatever the link's, for the order of its axes is part of a sweep's digest.
    names = [*(n for n in BOXES if n in read), *(n for n in read if n not in BOXES)]
    texts = {name: st.session_state.get(PREFIX + name) for name in names}
    own = {name: str(text).strip() for name, text in texts.items() if text not in (None, "")}
    return own | named_fields(
        str(st.session_state.get(MORE) or ""), "is not allowed under more axes"
    )


def chosen() -> SweepConfig:
    """Return the sweep that the controls describe; `ConfigError` says what is wrong with it."""
    wrong = st.session_state.get("sweep_wrong", {})
    if wrong and given() == st.session_state.setdefault("sweep_opened", given()):
        return sweep_of(tuple((given() | wrong).items()))
    st.session_state.sweep_wrong = {}
    return sweep_of(tuple(given().items()))


def _read_link() -> None:
    """Set the controls when the page first opens: to the fields that the link names as the
    command line does; to the shipped sweep where it names none, in whatever spelling."""
    if "sweep_wrong" in st.session_state:
        return
    st.session_state.sweep_wrong = {}
    asked = st.query_params.to_dict()
    plain = {k: v for k, v in asked.items() if may_be_field(k)}
    view = {k: v for k, v in plain.items() if k in VIEW or k.startswith("at_")}
    fields = {k: v for k, v in plain.items() if k not in view}
    # What another page wrote into the address before is not meant here.
    if fields and "link_error" not in st.session_state:
        choose(fields, view)
        for name in (*fields, *view):
            del st.query_params[name]
    elif not any(name.startswith(PREFIX) for name in asked):
        choose(home.SWEEP)


def choose(fields: dict[str, str], view: dict[str, str] | None = None) -> None:
    """Set the controls to these fields, and every other one to its default; the view on top."""
    left = dict(fields)
    more = [f"{name}={left.pop(name)}" for name in DERIVED if name in left]
    for name, field in _known().items():
        text = left.get(name, "")
        if field.options and is_axis(name, text):
            more.append(f"{name}={left.pop(name)}")
            text = ""
        if field.options and text and text not in field.options:
            continue  # no control can hold it: it is answered in a sentence
        left.pop(name, None)
        blank = "" if not field.options else field.default if name in CHOICES else None
        _set(PREFIX + name, text or blank)
    _set(MORE, " ".join(more))
    for name, text in (view or {}).items():
        _set(PREFIX + name, text)
    st.session_state.sweep_wrong = left


def _set(key: str, value: str | None) -> None:
    st.session_state[key] = value
    if value:
        # A control that is there writes what it is set to into the address by itself, and
        # nobody else may; one that is drawn for the first time does not.
        with suppress(StreamlitAPIException):
            st.query_params[key] = value


@cache
def _known() -> dict[str, Field]:
    """Return every field there is; files do not come and go while the server runs."""
    return all_fields()


def _fields_read() -> dict[str, Field]:
    """Return the fields that a run with the names chosen so far reads."""
    names = {}
    for name, field in _known().items():
        if field.kind is str:
            key = PREFIX + name
            value = held(key)
            if value in field.options:
                names[name] = value
    return fields_read(names)


def _advanced(read: dict[str, Field]) -> None:
    """Draw every other field that the run reads, grouped by who reads it, and further axes."""
    left = {name: field for name, field in read.items() if name not in (*BOXES, *CHOICES)}
    st.text_input(
        "More axes",
        placeholder="alpha_sqrt_width=1:100:5",
        key=MORE,
        max_chars=200,
        help="`name=values`, with a space between two: axes of words, as in "
        "`loss=square,logistic`, and products: "
        + "; ".join(f"`{name}` is {part.field.meaning}" for name, part in DERIVED.items()),
        bind="query-params",
    )
    for kind, title in GROUPS.items():
        chosen = str(st.session_state.get(PREFIX + kind) or read[kind].default)
        file = spec.find(kind, chosen)
        own = [name for name in (kind, *(f.name for f in file.SPEC.reads)) if name in left]
        _fields(title, [left.pop(name) for name in own])
    _fields("Randomness, precision and the rest", list(left.values()))


def _fields(title: str, fields: list[Field]) -> None:
    st.caption(title)
    for field in fields:
        if field.options:
            _choice(field, optional=True)
        elif isinstance(field.default, str):
            _box(field, field.default)
        else:
            known = not callable(field.default) and field.default is not None
            _box(field, f"{field.default:.10g}" if known else "automatic")


def _box(field: Field, placeholder: str) -> None:
    st.text_input(
        "Seeds" if field.name == "seed" else field.label,
        placeholder=placeholder,
        key=PREFIX + field.name,
        max_chars=200,
        help=f"{field.help} Several values make it an axis.",
        bind="query-params",
    )


def _choice(field: Field, optional: bool = False) -> None:
    """Draw a choice of names, the default first; an optional one starts empty."""
    st.selectbox(
        field.label,
        sorted(field.options, key=lambda name: name != field.default),
        index=None if optional else 0,
        placeholder="the default" if optional else None,
        key=PREFIX + field.name,
        help=choice_help(field),
        bind="query-params",
    )


def toolbar(part: Part, config: SweepConfig, view: View) -> None:
    """Draw Sweep, Cancel, the link of the sweep and the command that computes it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        start_and_cancel(label(config), "sweep", part.active, done=part.whole)
        link("Opens this sweep and this view of it anywhere.", sweeplink.whole_link(config, view))
        sweeplink.show_command(config)


def label(config: SweepConfig) -> str:
    """Return what the button that starts the sweep says."""
    return f"Sweep {len(config.cells)} runs"
