"""The controls of a run, drawn from the fields that its task, model, loss and dynamics read.

Numbers are typed as text, as on the command line: what is empty is not given and shows its
default, what is wrong stays in its box and is answered in a sentence. Every control is bound
to the address of the page, so each state of it is a link.
"""

import math
from contextlib import suppress
from functools import cache
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from lazycore.config import spec
from lazycore.config.run import RunConfig, all_fields, fields_read
from lazycore.config.spec import Field
from lazycore.config.words import sentence
from lazycore.errors import ConfigError
from pages.widgets.boxes import held, stops
from pages.widgets.fieldhelp import GROUPS, choice_help
from pages.widgets.jobs import Part
from pages.widgets.links import whole_link
from pages.widgets.parameters import may_be_field
from pages.widgets.progress import link, start_and_cancel

SLIDERS = ("alpha", "width", "init_scale")
CHOICES = ("task", "loss")
STEPS = range(-4, 7)
"""Half decades around the default that a slider offers."""


def run_controls() -> None:
    """Draw the controls of one run in the sidebar."""
    _check_link()
    with st.sidebar:
        read, defaults = _fields_read(), _defaults()
        for name in SLIDERS:
            if name in read:
                _slider(read[name], float(defaults.get(name, read[name].default)))
        for name in CHOICES:
            _choice(read[name])
        with st.expander("Advanced", icon=":material/tune:"):
            _advanced(read, defaults)
        st.segmented_control(
            "Axes", ("log", "linear"), default="log", key="axes", bind="query-params", required=True
        )
        st.toggle(
            "Run on every change", key="auto", bind="query-params", help="Instead of clicking Run."
        )


def given() -> dict[str, str]:
    """Return what the controls say, as text by field; empty ones are left out."""
    texts = {name: st.session_state.get(name) for name in _fields_read()}
    return {name: str(text).strip() for name, text in texts.items() if text not in (None, "")}


def chosen() -> RunConfig:
    """Return the run that the controls describe; `ConfigError` says what is wrong with it."""
    return RunConfig.from_text(given())


def log_axes() -> bool:
    """Whether the axes are to be logarithmic."""
    return st.session_state.get("axes", "log") == "log"


def choose(fields: dict[str, str]) -> None:
    """Set the controls to these fields and every other one to its default."""
    known = _known()
    wanted = {name: str(known[name].default) for name in CHOICES} | fields
    for name, field in known.items():
        value = wanted.get(name)
        st.session_state[name] = value or (None if field.options else "")
        if value:
            # A control that is there writes what it is set to into the address by itself, and
            # nobody else may; one that is drawn for the first time does not.
            with suppress(StreamlitAPIException):
                st.query_params[name] = value


def link_error() -> str:
    """Return what is wrong with the link that opened the page, until a control is touched.

    Empty too where the controls, as they are, are answered by the same sentence anyway.
    """
    now, error = given(), st.session_state.get("link_error", "")
    if now != st.session_state.setdefault("link_given", now):
        st.session_state.link_error = error = ""
    return "" if error == _wrong_with(now) else error


def toolbar(part: Part, config: RunConfig) -> None:
    """Draw Run, Cancel and the link of the run."""
    with st.container(horizontal=True, vertical_alignment="center"):
        start_and_cancel("Run", "run", part.active, done=part.whole)
        link("Opens this run anywhere, with every default written out.", whole_link(config))


def _check_link() -> None:
    """Read the link that opened the page before any control does.

    A control drops what it cannot hold from the address, so that only the first look sees it.
    """
    if "link_error" not in st.session_state:
        asked = st.query_params.to_dict().items()
        fields = {k: v for k, v in asked if may_be_field(k)}
        st.session_state.link_error = _wrong_with(fields)


def _wrong_with(fields: dict[str, str]) -> str:
    try:
        RunConfig.from_text(fields)
    except ConfigError as error:
        return str(error)
    return ""


@cache
def _known() -> dict[str, Field]:
    """Return every field there is; files do not come and go while the server runs."""
    return all_fields()


def _fields_read() -> dict[str, Field]:
    """Return the fields that a run with the names chosen so far reads."""
    chosen_names = {}
    for name, field in _known().items():
        if field.kind is str:
            value = held(name)
            if value in field.options:
                chosen_names[name] = value
    return fields_read(chosen_names)


def _defaults() -> dict[str, Any]:
    """Return what every field is where the controls leave it open."""
    # On the first look at a link its fields are not in the controls yet.
    asked = st.query_params.to_dict().items()
    linked = {k: v for k, v in asked if k in _fields_read() and k not in st.session_state}
    texts = linked | given()
    names = {k: v for k, v in texts.items() if _known()[k].kind is str}
    for kept in (texts, names, {}):
        try:
            return RunConfig.from_text(kept).resolve().to_dict()
        except ConfigError:
            continue
    return {}


def _slider(field: Field, default: float) -> None:
    """Draw a slider over the useful range, beside a box that takes any value."""
    value = field.kind(_number(held(field.name), field) or default)
    key = f"{field.name}_slider"
    steps = stops(_ladder(field), value, key)
    at = min(steps, key=lambda s: abs(math.log(s / value)))
    st.session_state[key] = st.session_state[f"{key}_drawn"] = at
    wide, narrow = st.columns([2.2, 1], vertical_alignment="bottom", gap="small")
    wide.select_slider(
        field.label,
        steps,
        format_func=lambda v: f"{v:g}",
        key=key,
        help=field.help,
        on_change=_take_from_slider,
        args=(field.name, key),
    )
    with narrow:
        _text(field, f"{field.label}, exact", f"{default:g}", hidden=True)


def _take_from_slider(name: str, key: str) -> None:
    """Write what the slider was moved to into the box beside it.

    Drawn anew, after a visit to another page, a slider reports what it was drawn at as if it
    had been moved there; taken for a choice, that would round what the box holds.
    """
    if st.session_state[key] != st.session_state.get(f"{key}_drawn"):
        st.session_state[name] = f"{st.session_state[key]:g}"


def _ladder(field: Field) -> list[float]:
    powers = [float(field.default) * 10.0 ** (k // 2) * (3 if k % 2 else 1) for k in STEPS]
    least = 4 if field.kind is int else 0
    most = 3000 if field.kind is int else math.inf
    low, high = max(field.low or 0.0, least), min(field.high or math.inf, most)
    steps = [p for p in powers if low <= p <= high]
    return [int(s) for s in steps] if field.kind is int else [float(f"{s:g}") for s in steps]


def _number(text: object, field: Field) -> float | None:
    """Return the number that a box holds; None for what the field does not take."""
    try:
        return float(field.check(field.parse(str(text)))) or None
    except (ConfigError, TypeError):
        return None


def _advanced(read: dict[str, Field], defaults: dict[str, Any]) -> None:
    """Draw every other field that the run reads, grouped by who reads it."""
    left = {name: field for name, field in read.items() if name not in (*SLIDERS, *CHOICES)}
    for kind, title in GROUPS.items():
        file = spec.find(kind, str(defaults.get(kind) or read[kind].default))
        own = [name for name in (kind, *(f.name for f in file.SPEC.reads)) if name in left]
        _fields(title, {name: left.pop(name) for name in own}, defaults)
    _fields("Randomness, precision and the rest", left, defaults)


def _fields(title: str, fields: dict[str, Field], defaults: dict[str, Any]) -> None:
    if not fields:
        return
    st.caption(title)
    for name, field in fields.items():
        default = defaults.get(name)
        if field.options:
            _choice(field, placeholder=f"{default} (default)")
        elif isinstance(default, str):
            _text(field, field.label, default)
        else:
            _text(field, field.label, "automatic" if default is None else f"{default:.10g}")


def _choice(field: Field, placeholder: str | None = None) -> None:
    """Draw a choice of names; with a placeholder, none chosen means the default."""
    # The default comes first: streamlit objects to a preset that sets a control whose own
    # default is further down.
    options = sorted(field.options, key=lambda name: name != field.default)
    chosen = st.selectbox(
        field.label,
        options,
        index=None if placeholder else 0,
        placeholder=placeholder,
        key=field.name,
        help=choice_help(field),
        bind="query-params",
    )
    if field.name in spec.PACKAGES and chosen is not None:
        st.caption(sentence(spec.find(field.name, chosen).SPEC.meaning))


def _text(field: Field, label: str, placeholder: str, hidden: bool = False) -> None:
    st.text_input(
        label,
        placeholder=placeholder,
        key=field.name,
        max_chars=200,
        help=None if hidden else field.help,
        label_visibility="collapsed" if hidden else "visible",
        bind="query-params",
    )
