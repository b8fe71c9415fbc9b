"""Home: what lazy training is, on runs that ship with the program; nothing to click first."""

import streamlit as st

from lazycore.figures import panels
from lazycore.papers.ours import home
from pages.home import shelf
from pages.widgets.exponent import show_exponent
from pages.widgets.panels import show_panel
from pages.widgets.summary import show_summary

st.title("Does a network learn features, or only reweigh the ones it was born with?")
st.markdown(
    "Multiply a network's output by a large **α** before training, and its weights hardly need "
    "to move: it behaves like its own *linearisation* at the start. That is **lazy** training. "
    "At a small α it must move, and grows features of its own: **rich** training. "
    "Below: one network on real handwritten digits, where only α differs."
)
for place, alpha in zip(st.columns(3, gap="small"), home.REGIMES, strict=True):
    with place:
        shelf.show_card(alpha)
shelf.take_cards_away()

result = shelf.chosen_run()
if result is None:
    st.info("The shipped runs are missing: compute them with `make atlas`.")
    st.stop()
show_summary(result, f"At α = {shelf.alpha_of(result):g}:")
shelf.explore_link(result)
first = {panel.name: panel for panel in panels()}
for place, name in zip(st.columns(2, gap="medium"), ("losses", "distance"), strict=True):
    with place:
        show_panel(first[name], result, "home", log=True)
show_exponent(home.runs(), key="home")
