"""Refresh: how often must features be taken anew? From gradient descent to lazy training."""

import streamlit as st

from lazycore.papers.iterative_linearization import CARD
from pages.refresh import controls, view
from pages.widgets.paper import cited
from pages.widgets.resources import banner
from pages.widgets.sentences import show_link_error

st.title(CARD.heading)
banner()
show_link_error(controls.link_error())
st.markdown(
    f"{CARD.said} ({cited(CARD)}, which inspired these problems; its own figures were not seen.)"
)
choice = controls.chosen()
st.markdown(choice.problem.said)
view.show_all(choice)
view.show_one(choice)
