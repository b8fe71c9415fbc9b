"""Which phase diagram is looked at: task, network, loss, grid and the two sides that are compared.

All of it is in the address, under names that start with `p_`. What no control says is as in
the paper's setting (`lazycore.papers.feature_lazy.phases.settings`), or as the box of further
fields has it.
"""

import math
from dataclasses import dataclass
from functools import cache

import streamlit as st

from lazycore.config import spec
from lazycore.config.axes import axis_text
from lazycore.config.sweep import SweepConfig
from lazycore.errors import ConfigError
from lazycore.papers.feature_lazy.phases import settings
from lazycore.results.plane import plain
from pages.widgets.choices import forget_what_is_gone, said_of_link
from pages.widgets.sweeptext import named_fields, sweep_of

TASK, MODEL, DEPTH = "p_task", "p_model", "p_depth"
ACTIVATION, LOSS = "p_activation", "p_loss"
AXIS, WIDTHS, SCALES, SEEDS = "p_axis", "p_widths", "p_scales", "p_seeds"
FEATURE, LAZY, MORE = "p_feature", "p_lazy", "p_more"
SELECTS = {TASK: "task", MODEL: "model", ACTIVATION: "activation", LOSS: "loss"}
BOXES = {WIDTHS: "width", SCALES: "alpha_sqrt_width", SEEDS: "init_seed"}
DEPTHS = ("1", "2", "3", "5")
BY_SCALE, BY_ALPHA = "√h α", "α"
ACTIVATIONS = ("softplus", "swish", "relu", "tanh")
MODELS = ("fully_connected", "two_layer", "strided_cnn")


@dataclass(frozen=True)
class Choice:
    """A sweep over h, √hα and seeds, and how it is looked at.

    feature, lazy: √hα of the two sides that are compared.
    """

    config: SweepConfig
    in_alpha: bool
    feature: float
    lazy: float


def phase_controls() -> None:
    """Draw the controls of the Feature-or-lazy page in the sidebar, bound to the address."""
    _check_link()
    with st.sidebar:
        _select("Task", _tasks(), TASK)
        _select("Model", _models(), MODEL)
        left, right = st.columns([1, 1.6], gap="small")
        with left:
            if _has_depth(st.session_state[MODEL]):
                _select("Depth L", DEPTHS, DEPTH, settings.SETTING["depth"])
        with right:
            _select("Activation", _activations(), ACTIVATION)
        _select("Loss", _losses(), LOSS)
        st.segmented_control(
            "Axis",
            (BY_SCALE, BY_ALPHA),
            default=BY_SCALE,
            key=AXIS,
            help="The upright axis of the diagram and the level one of the curves.",
            bind="query-params",
            required=True,
        )
        for key, label in ((WIDTHS, "Widths h"), (SCALES, "√h α"), (SEEDS, "Seeds")):
            usual = settings.GRID[BOXES[key]]
            st.text_input(
                label,
                placeholder=usual,
                key=key,
                max_chars=200,
                help=f"Several values: `{usual}`, by commas, low:high:count, or 0:8 for 0 to 7.",
                bind="query-params",
            )
        st.text_input(
            "Further fields",
            placeholder="n_train=200 bias=normal",
            key=MORE,
            max_chars=400,
            help="`name=value`, with a space between two, as on the command line.",
            bind="query-params",
        )
        try:
            scales = [plain(v) for v in sweep_of(tuple(given().items())).axes["alpha_sqrt_width"]]
        except ConfigError:  # the page says it
            return
        left, right = st.columns(2, gap="small")
        with left:
            _side("Feature side", FEATURE, scales, settings.SIDES["feature"])
        with right:
            _side("Lazy side", LAZY, scales, settings.SIDES["lazy"])


def chosen() -> Choice:
    """Return what the controls say; `ConfigError` says what is wrong with it."""
    state = st.session_state
    config = sweep_of(tuple(given().items()))
    sides = [_number(state.get(key)) for key in (FEATURE, LAZY)]
    usual = (settings.SIDES["feature"], settings.SIDES["lazy"])
    feature, lazy = (known or other for known, other in zip(sides, usual, strict=True))
    return Choice(config, state.get(AXIS) == BY_ALPHA, feature, lazy)


def given() -> dict[str, str]:
    """Return the fields of the sweep that the controls describe, as text."""
    state = st.session_state
    fields = settings.SETTING | settings.GRID
    fields |= {field: str(state.get(key) or fields[field]) for key, field in SELECTS.items()}
    fields["depth"] = str(state.get(DEPTH) or fields["depth"])
    asked = named_fields(str(state.get(MORE) or ""), "is no field")
    return settings.consistent(fields | _axes(), asked)


def _axes() -> dict[str, str]:
    """Return the three axes as text; one value is written with a comma."""
    found = {}
    for key, field in BOXES.items():
        text = str(st.session_state.get(key) or "").strip() or settings.GRID[field]
        found[field] = text if {",", ":"} & set(text) else f"{text},"
    return found


def parameters(config: SweepConfig, in_alpha: bool = False) -> dict[str, str]:
    """Return the address' parameters that show exactly this sweep."""
    text = config.to_text()
    said = {key: text[field] for key, field in SELECTS.items()}
    said |= {DEPTH: text["depth"]} if "depth" in text else {}
    said |= {key: axis_text(field, config.axes[field]) for key, field in BOXES.items()}
    known = (*SELECTS.values(), "depth", *BOXES.values())
    fields = {field: text[field] for field in known if field in text}
    usual = SweepConfig.from_text(settings.consistent(settings.SETTING | fields)).to_text()
    more = [f"{name}={value}" for name, value in text.items() if usual.get(name) != value]
    said |= {MORE: " ".join(more)} if more else {}
    return said | ({AXIS: BY_ALPHA} if in_alpha else {})


def link_error() -> str:
    """Return what is wrong with the link that opened the page, until a control is touched."""
    return said_of_link("phase", (*SELECTS, DEPTH))


def _check_link() -> None:
    """Read the link before any control does: what one cannot hold it drops from the address."""
    if "phase_wrong" in st.session_state:
        return
    asked, st.session_state.phase_wrong = st.query_params.to_dict(), ""
    known = {TASK: _tasks(), MODEL: _models(), DEPTH: DEPTHS}
    known |= {ACTIVATION: _activations(), LOSS: _losses()}
    for key, options in known.items():
        if key in asked and asked[key] not in options:
            said = f"{key}={asked[key][:40]} is not allowed: give {', '.join(options)}."
            st.session_state.phase_wrong = said
            return


def _select(label: str, options: tuple[str, ...], key: str, first: str | None = None) -> None:
    first = first or settings.SETTING[SELECTS[key]]
    forget_what_is_gone(key, options)
    st.selectbox(label, options, options.index(first), key=key, bind="query-params")


def _side(label: str, key: str, scales: list[str], usual: float) -> None:
    forget_what_is_gone(key, scales)
    near = min(range(len(scales)), key=lambda i: abs(math.log(float(scales[i]) / usual)))
    said = "√hα of this side in the comparison of single networks and ensembles."
    st.selectbox(label, scales, near, key=key, help=said, bind="query-params")


def _number(text: object) -> float | None:
    try:
        return float(str(text))
    except ValueError:
        return None


@cache
def _tasks() -> tuple[str, ...]:
    """Return the tasks whose labels can be ±1."""
    named = spec.collect("task").items()
    return tuple(
        name for name, file in named if spec.reads("task", name, "labels") or _is_binary(file.SPEC)
    )


def _is_binary(task: spec.Spec) -> bool:
    """Whether a task has two classes as it is by default."""
    return task.facts["classes"]({field.name: field.default for field in task.reads}) == 2


@cache
def _models() -> tuple[str, ...]:
    return tuple(name for name in MODELS if name in spec.collect("model"))


def _has_depth(model: str) -> bool:
    return spec.reads("model", model, "depth")


@cache
def _activations() -> tuple[str, ...]:
    return tuple(name for name in ACTIVATIONS if name in spec.collect("activation"))


@cache
def _losses() -> tuple[str, ...]:
    """Return the losses of labels ±1."""
    found = spec.collect("loss").items()
    return tuple(name for name, file in found if file.SPEC.facts["labels"] == "binary")
