"""Refresh: how often must features be taken anew? From gradient descent to lazy training."""

import streamlit as st

from pages.refresh import controls, view
from pages.widgets.resources import banner
from pages.widgets.sentences import show_link_error

st.title("How often must a network's features be taken anew?")
banner()
show_link_error(controls.link_error())
st.markdown(
    "Linearise the network, train the *linear* model for **K** steps, linearise again where it "
    "has come to: **K = 1** is gradient descent, and to linearise only once is **lazy** training. "
    "About ten updates are often enough (Goldwaser & Ge 2022, arXiv:2211.12345, which inspired "
    "these problems; its own figures were not seen)."
)
choice = controls.chosen()
st.markdown(choice.problem.said)
view.show_all(choice)
view.show_one(choice)
