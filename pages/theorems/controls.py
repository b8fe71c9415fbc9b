"""Which theorem is looked at, on which problem, with which constants; all of it in the address."""

import math
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lazycore.config.run import RunConfig, fields_read
from lazycore.errors import ConfigError
from lazycore.papers.theorem import Theorem, theorems
from pages.widgets.boxes import held, stops
from pages.widgets.choices import forget_what_is_gone, said_of_link

THEOREM, PROBLEM, RUN, AXES = "t_theorem", "t_problem", "t_run", "t_axes"
CONSTANTS = {"alpha": "α, output scale", "time": "T, length of the flow", "width": "m, width"}
"""The fields that are turned here; each has a box of its own, `t_` and its name."""
MINE = "my run"
FIRST = "Theorem 2.4"
STEPS = range(-4, 9)
"""Half decades around the example's α that the slider offers."""


@dataclass(frozen=True)
class Choice:
    """A theorem and the run that it is looked at on; an example's own run, or a changed one."""

    theorem: Theorem
    problem: str
    config: RunConfig
    log: bool

    @property
    def is_example(self) -> bool:
        """Whether the run is one of the theorem's problems: these are cheap."""
        return self.problem != MINE


def theorem_controls() -> None:
    """Draw the controls of the Theorems page in the sidebar, bound to the address."""
    _check_link()
    names = list(theorems())
    with st.sidebar:
        forget_what_is_gone(THEOREM, names)
        name = st.selectbox(
            "Statement", names, names.index(FIRST), key=THEOREM, bind="query-params"
        )
        problems = [*theorems()[name].examples, MINE]
        forget_what_is_gone(PROBLEM, problems)
        problem = st.selectbox("Problem", problems, key=PROBLEM, bind="query-params")
        if problem == MINE:
            st.text_input(
                "Fields of the run",
                placeholder="task=sine activation=tanh alpha=30",
                key=RUN,
                max_chars=400,
                help="`name=value`, with a space between two, as on the command line.",
                bind="query-params",
            )
        _constants(_base(theorems()[name], problem))
        st.segmented_control(
            "Axes", ("log", "linear"), default="log", key=AXES, bind="query-params", required=True
        )


def statement() -> Theorem:
    """Return the chosen theorem, whatever its run is like."""
    return theorems()[st.session_state[THEOREM]]


def chosen() -> Choice:
    """Return what the controls say; `ConfigError` says what is wrong with the run."""
    state = st.session_state
    theorem, problem = theorems()[state[THEOREM]], state[PROBLEM]
    fields = _fields(theorem, problem) | {
        name: text for name in CONSTANTS if (text := str(state.get(f"t_{name}") or "").strip())
    }
    log = state.get(AXES, "log") == "log"
    return Choice(theorem, problem, RunConfig.from_text(fields), log)


def parameters(choice: Choice) -> dict[str, str]:
    """Return the address' parameters that show this theorem on exactly this run."""
    fields = " ".join(f"{k}={v}" for k, v in choice.config.to_text().items())
    return {THEOREM: choice.theorem.name, PROBLEM: MINE, RUN: fields}


def link_error() -> str:
    """Return what is wrong with the link that opened the page, until a control is touched."""
    return said_of_link("theorem", (THEOREM, PROBLEM))


def _check_link() -> None:
    """Read the link before any control does: what one cannot hold it drops from the address."""
    if "theorem_wrong" in st.session_state:
        return
    asked, st.session_state.theorem_wrong = st.query_params.to_dict(), ""
    name = asked.get(THEOREM, FIRST)
    if name not in theorems():
        said = f"t_theorem={name[:40]} is not allowed: give {', '.join(theorems())}."
        st.session_state.theorem_wrong = said
        return
    problems = [*theorems()[name].examples, MINE]
    problem = asked.get(PROBLEM, problems[0])
    if problem not in problems:
        said = f"t_problem={problem[:40]} is not one of {name}: give {', '.join(problems)}."
        st.session_state.theorem_wrong = said


def _fields(theorem: Theorem, problem: str) -> dict[str, str]:
    """Return the fields of the example, or of the box, as text."""
    if problem != MINE:
        return theorem.examples[problem].to_text()
    found = {}
    for part in str(held(RUN) or "").split():
        name, equals, value = part.partition("=")
        if not equals:
            raise ConfigError(f"{part[:40]} is not a field of a run: write name=value.")
        found[name] = value
    return found


def _base(theorem: Theorem, problem: str) -> dict[str, Any]:
    """Return the resolved fields of the run before its constants are turned; none if it is no
    run: the page says so."""
    try:
        return RunConfig.from_text(_fields(theorem, problem)).resolve().to_dict()
    except ConfigError:
        return {}


def _constants(base: dict[str, Any]) -> None:
    """Draw a box for each constant that the run reads, and a slider beside α's."""
    read = fields_read({k: v for k, v in base.items() if v is not None}) if base else {}
    for name, label in CONSTANTS.items():
        key = f"t_{name}"
        if name not in read:
            st.session_state.pop(key, None)
            continue
        if name == "alpha":
            _slider(key, float(base["alpha"]))
        default = base[name]
        st.text_input(
            label if name != "alpha" else "α, exact",
            placeholder="automatic" if default is None else f"{default:.6g}",
            key=key,
            max_chars=40,
            help=read[name].help,
            bind="query-params",
        )


def _slider(key: str, example: float) -> None:
    """Draw a slider over α around the example's, that writes into the box below it."""
    steps = [float(f"{example * 10 ** (k // 2) * (3 if k % 2 else 1):.3g}") for k in STEPS]
    typed = _number(held(key)) or example
    drawn = f"{key}_slider"
    steps = stops(steps, typed, drawn)
    nearest = min(steps, key=lambda step: abs(math.log(step / typed)))
    st.session_state[drawn] = st.session_state[f"{drawn}_drawn"] = nearest
    st.select_slider(
        CONSTANTS["alpha"],
        steps,
        format_func=lambda step: f"{step:g}",
        key=drawn,
        on_change=_take_from_slider,
        args=(key, drawn),
    )


def _take_from_slider(key: str, drawn: str) -> None:
    """Write what the slider was moved to into its box; drawn anew it may report no move."""
    if st.session_state[drawn] != st.session_state.get(f"{drawn}_drawn"):
        st.session_state[key] = f"{st.session_state[drawn]:g}"


def _number(text: object) -> float | None:
    try:
        value = float(str(text))
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None
