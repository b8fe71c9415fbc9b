"""The exponent of laziness over runs that differ in α only, beside the theorem's."""

from collections.abc import Sequence

import streamlit as st

from lazycore.figures import exponent
from lazycore.results.run import RunResult
from pages.widgets.panels import show_several


def show_exponent(results: Sequence[RunResult], key: str) -> None:
    """Draw the figure and its sentences once three runs are there; say what is missing before."""
    st.header("How fast does the distance fall with α?")
    fits = [(q, exponent.fit(results, q)) for q in exponent.QUANTITIES]
    if not any(fit for _, fit in fits):
        st.caption(
            f"Theorem 2.2 gives an exponent. {len(results)} of the {exponent.FEWEST} runs that "
            "it takes are stored: run this at other α, changing nothing else."
        )
        return
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        figure = exponent.figure(results)
        show_several(figure, results, f"{key}_exponent", "exponent.figure")
    with right:
        st.caption(f"Measured over {len(results)} runs, by least squares on logarithms.")
        rows = [f"| {q.name} | {fit.measured} | {fit.theorem} |" for q, fit in fits if fit]
        st.markdown(
            "\n".join(["| power of α | measured (95 %) | theorem |", "|---|---|---|", *rows])
        )
        st.caption(exponent.reason(results))
        st.caption(
            "The theorem is about α → ∞ and smooth networks, so the line is fitted over the lazy "
            "runs where three of them are lazy. Hollow marks are below the numerical floor or "
            "ended early, and do not count."
        )
