"""Which problem of iterative linearisation is looked at, and at which K; all in the address."""

from dataclasses import dataclass

import streamlit as st

from lazycore.config.run import RunConfig
from lazycore.papers.iterative_linearization.problems import Problem, problems
from pages.widgets.choices import forget_what_is_gone, one_of, said_of_link

PROBLEM, STAGES, EVERY, AXES = "r_problem", "r_stages", "r_every", "r_axes"


@dataclass(frozen=True)
class Choice:
    """A problem, how its stages are solved, and the K whose run is shown."""

    problem: Problem
    variant: str
    every: int
    log: bool

    @property
    def config(self) -> RunConfig:
        """The run that is shown."""
        return self.problem.config(self.variant, self.every)


def refresh_controls() -> None:
    """Draw the controls of the Refresh page in the sidebar, bound to the address."""
    _check_link()
    with st.sidebar:
        names = list(problems())
        forget_what_is_gone(PROBLEM, names)
        name = st.selectbox("Problem", names, key=PROBLEM, bind="query-params")
        problem = problems()[name]
        variants = list(problem.variants)
        variant = variants[0]
        if len(variants) > 1:
            variant = one_of("Stages", variants, STAGES, "What is done with each linear model.")
        options = _texts(problem, variant)
        forget_what_is_gone(EVERY, options)
        st.select_slider(
            "K, steps between updates: lazy to gradient descent",
            options,
            value=str(problem.chosen),
            key=EVERY,
            bind="query-params",
        )
        st.caption("Each stop is a finished run.")
        one_of("Axes", ["log", "linear"], AXES, "Of time, steps and updates.")


def chosen() -> Choice:
    """Return what the controls say, once they have been drawn."""
    state = st.session_state
    problem = problems()[state[PROBLEM]]
    first = next(iter(problem.variants))
    variant = state.get(STAGES, first) if len(problem.variants) > 1 else first
    return Choice(problem, variant, int(state[EVERY]), state.get(AXES, "log") == "log")


def link_error() -> str:
    """Return what is wrong with the link that opened the page, until a control is touched."""
    return said_of_link("refresh", (PROBLEM, STAGES, EVERY))


def _check_link() -> None:
    """Read the link before any control does: what one cannot hold it drops from the address."""
    if "refresh_wrong" in st.session_state:
        return
    asked, st.session_state.refresh_wrong = st.query_params.to_dict(), ""
    name = asked.get(PROBLEM, next(iter(problems())))
    if name not in problems():
        st.session_state.refresh_wrong = _said(PROBLEM, name, problems())
        return
    problem = problems()[name]
    variant = asked.get(STAGES, next(iter(problem.variants)))
    if variant not in problem.variants:
        st.session_state.refresh_wrong = _said(STAGES, variant, problem.variants)
        return
    options = _texts(problem, variant)
    if asked.get(EVERY, options[0]) not in options:
        st.session_state.refresh_wrong = _said(EVERY, asked[EVERY], options)


def _texts(problem: Problem, variant: str) -> list[str]:
    return [str(every) for every in problem.every_of(variant)]


def _said(key: str, value: str, allowed) -> str:
    return f"{key}={value[:40]} is not allowed: give {', '.join(allowed)}."
