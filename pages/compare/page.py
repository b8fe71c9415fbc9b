"""Compare: up to six runs, or groups of seeds, in the same figures and in one table."""

import streamlit as st

from pages.compare import controls
from pages.compare.numbers import show_numbers
from pages.widgets.panels import show_overlay

st.title("Compare")
groups = controls.chosen_groups()
if not groups:
    st.info("Choose runs on the left, or select some on the Runs page.")
    st.stop()
shown = controls.chosen_curves(groups)
for start in range(0, len(shown), 2):
    for place, name in zip(st.columns(2, gap="medium"), shown[start : start + 2], strict=False):
        with place:
            show_overlay(groups, name, controls.log_axes())
show_numbers(groups)
