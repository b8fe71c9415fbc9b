"""What a run came to, in a strip: the verdict, the numbers behind it, the theorem."""

import math

import numpy as np
import streamlit as st

from lazycore.figures.style import ENDINGS
from lazycore.results.quantities import NUMBERS
from lazycore.results.run import RunResult
from lazycore.results.verdict import LEARNED
from pages.widgets.sentences import plain

COLORS = {"lazy": "green", "crossover": "violet", "rich": "orange", "undecided": "gray"}
MEANINGS = {
    "lazy": "The two stay together: the network only reweighs the features it was born with.",
    "crossover": "It is no longer lazy, yet the features change by less than their own size.",
    "rich": "The network has grown features that its linearisation cannot have.",
    "undecided": "",
}
"""What each verdict means; which threshold decided is said before."""
STRIP = ("relative_gap", "largest_kernel_change", "numerical_error", "largest_gap", "kappa")
"""The numbers that stand under a verdict."""
DIAGNOSES = {
    "rounding": "The outputs moved by no more than their rounding: dtype float64 goes further.",
    "kink": "At kinks of the activation the gradient jumps, however short a step.",
    "margins not met": "Its time was over before every training point had its margin.",
}
"""What each diagnosis of a run means."""


def show_summary(result: RunResult, title: str = "This run:", faded: bool = False) -> None:
    """Draw the verdict of a run and the numbers that it rests on.

    A run that has not come to its end has none: where it stands is said in grey. faded: of a run
    that is only still there until another one is, in grey too.
    """
    st.markdown(f"## {plain(title)} {headline(result, faded)} {_ending(result)}".rstrip())
    st.markdown(_meaning(result))
    for note in result.notes:
        st.caption(f"Note: {plain(note)}")
    for place, name in zip(st.columns(len(STRIP)), STRIP, strict=True):
        place.metric(NUMBERS[name].label, number(result, name), help=NUMBERS[name].help)
    if diagnosis := result.latest.get("diagnosis"):
        st.caption(f"Diagnosis: **{plain(diagnosis)}**. {DIAGNOSES.get(str(diagnosis), '')}")
    reason = result.latest.get("theory.reason")
    if reason:
        st.caption(plain(reason))


def headline(result: RunResult, faded: bool = False) -> str:
    """Return the verdict of a run in markdown: in its colour, in grey, or how far the run is."""
    if is_first(result):
        return ":gray[first answer; a closer one follows, and the verdict with it]"
    if not is_whole(result):
        until = f"t = {result.time[-1]:.3g}" if len(result.time) else "nothing yet"
        return f":gray[so far ({until}), no verdict before its end]"
    return f":gray[**{result.verdict}**]" if faded else verdict_in_colour(result)


def is_first(result: RunResult) -> bool:
    """Whether this is the first of two answers, in full length, of a run on its way."""
    return result.status == "running" and result.latest.get("first_tolerance") is not None


def is_whole(result: RunResult) -> bool:
    """Whether the run has come to its end, as far as its models went."""
    return result.status in ("done", "diverged")


def _meaning(result: RunResult) -> str:
    """Return which threshold decided, what that means, and of how much learning it is."""
    if not is_whole(result):
        return result.so_far if is_first(result) else f"{result.so_far} Both may still grow."
    learned = f"The training loss fell by {result.learned:.0%}."
    said = [result.finding.because, MEANINGS[result.verdict]]
    return " ".join(filter(None, said if result.learned < LEARNED else [*said, learned]))


def verdict_in_colour(result: RunResult) -> str:
    """Return the verdict of a whole run in its colour, in markdown."""
    return f":{COLORS[result.verdict]}[**{result.verdict}**]"


def last(result: RunResult, name: str) -> float | None:
    """Return the last recorded value of a quantity, None where there is none."""
    values = result.series.get(name, np.array([]))
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if finite.size else None


def shown(value: float | None, form: str = ".3g") -> str:
    """Return a number as it stands in a strip, a dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else format(value, form)


def number(result: RunResult, name: str) -> str:
    """Return a number of a run, by its declared name and in its form, a dash where it has none."""
    return shown(NUMBERS[name].value(result), NUMBERS[name].form)


def _ending(result: RunResult) -> str:
    return f":red-badge[{ENDINGS[result.status]}]" if result.status in ENDINGS else ""
