"""Data: is a file of one's own understood as it is meant, before anything is trained on it?"""

import streamlit as st

from pages.data import controls, view
from pages.widgets.sentences import plain, show_link_error

st.title("Is your data understood as you mean it?")
show_link_error(controls.link_error())
st.markdown(
    "Put a table in, look at what was understood of it, correct it at the left, and train on it. "
    "What could be meant in two ways is asked; nothing is guessed in silence."
)
view.upload()
name, choices = controls.chosen()
st.header(plain(name))
view.show(name, choices)
