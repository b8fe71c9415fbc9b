"""What a run came to, in a strip: the verdict, the numbers behind it, the theorem."""

import math

import numpy as np
import streamlit as st

from lazycore.figures.style import ENDINGS
from lazycore.results import RunResult
from lazycore.verdict import LAZY_GAP, LAZY_KERNEL_CHANGE, LEARNED, RICH_KERNEL_CHANGE
from pages.widgets.sentences import plain

COLORS = {"lazy": "green", "crossover": "violet", "rich": "orange", "undecided": "gray"}
MEANINGS = {
    "lazy": f"The two stay together (gap below {LAZY_GAP:.0%} of the way, kernel change below "
    f"{LAZY_KERNEL_CHANGE:g}): the network only reweighs the features it was born with.",
    "crossover": "The two part, yet the features change by less than their own size.",
    "rich": f"The tangent kernel changed by more than {RICH_KERNEL_CHANGE:.0%}: the network has "
    "grown features that its linearisation cannot have.",
    "undecided": "The gap is below the error of the method, or nothing is known yet.",
}
DIAGNOSES = {
    "rounding": "The outputs moved by no more than their rounding: dtype float64 goes further.",
    "kink": "At kinks of the activation the gradient jumps, however short a step.",
    "margins not met": "Its time was over before every training point had its margin.",
}
"""What each diagnosis of a run means."""


def show_summary(result: RunResult, title: str = "This run:") -> None:
    """Draw the verdict of a run and the numbers that it rests on."""
    st.markdown(f"### {plain(title)} {verdict_in_colour(result)} {_ending(result)}")
    st.markdown(_meaning(result))
    for note in result.notes:
        st.caption(f"Note: {plain(note)}")
    share = relative_gap(result)
    for place, (label, value, why) in zip(st.columns(5), _numbers(result, share), strict=True):
        place.metric(label, value, help=why)
    if diagnosis := result.latest.get("diagnosis"):
        st.caption(f"Diagnosis: **{plain(diagnosis)}**. {DIAGNOSES.get(str(diagnosis), '')}")
    reason = result.latest.get("theory.reason")
    if reason:
        st.caption(plain(reason))


def _meaning(result: RunResult) -> str:
    """Return what the verdict means, and of how much learning it is."""
    if result.verdict == "undecided" and result.learned < LEARNED:
        return (
            f"Nothing was learned: the training loss fell by {result.learned:.1%}, and a verdict "
            f"needs {LEARNED:.0%}."
        )
    return f"{MEANINGS[result.verdict]} The training loss fell by {result.learned:.0%}."


def verdict_in_colour(result: RunResult) -> str:
    """Return the verdict in its colour, in markdown."""
    return f":{COLORS[result.verdict]}[**{result.verdict}**]"


def relative_gap(result: RunResult) -> float | None:
    """Return the largest gap as a share of the largest change of the linearised outputs."""
    gap, change = (largest(result, n) for n in ("gap.train_output", "linearized.output_change"))
    return gap / change if gap is not None and change else None


def largest(result: RunResult, name: str) -> float | None:
    """Return the largest recorded value of a quantity, None where there is none."""
    values = result.series.get(name, result.sparse.get(name, np.array([])))
    finite = values[np.isfinite(values)]
    return float(finite.max()) if finite.size else None


def last(result: RunResult, name: str) -> float | None:
    """Return the last recorded value of a quantity, None where there is none."""
    values = result.series.get(name, np.array([]))
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if finite.size else None


def shown(value: float | None, form: str = ".3g") -> str:
    """Return a number as it stands in a strip, a dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else format(value, form)


def _numbers(result: RunResult, share: float | None) -> list[tuple[str, str, str]]:
    kappa = result.latest.get("kappa")
    return [
        ("Gap, of the way", shown(share, ".2%"), "largest output gap over the largest change"),
        (
            "Kernel change",
            shown(largest(result, "kernel_change")),
            "largest ‖Θ_t − Θ₀‖/‖Θ₀‖: lazy below 0.1, rich above 1",
        ),
        (
            "Numerical error",
            shown(result.numerical_error, ".1e"),
            "error of the method in units of the output gap; a smaller gap is not a finding",
        ),
        ("Largest gap", shown(largest(result, "gap.train_output")), "rms over training points"),
        (
            "κ at the start",
            shown(kappa),
            "inverse relative scale of Chizat et al.: much below 1 predicts lazy training; "
            "defined for the square loss and a smooth activation",
        ),
    ]


def _ending(result: RunResult) -> str:
    return f":red-badge[{ENDINGS[result.status]}]" if result.status in ENDINGS else ""
