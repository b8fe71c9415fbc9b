"""The frame of every page: navigation, the controls that the page declares, expected errors."""

import streamlit as st

from pages.frame.handback import handed_back
from pages.frame.history import keep_history
from pages.frame.linkcheck import checked_link, said_of_what_was_not_read
from pages.frame.look import apply_look
from pages.frame.navigation import mend_navigation
from pages.widgets.chart import fetch_plotly
from pages.widgets.declared import pages, path_of
from pages.widgets.sentences import said_in_a_sentence, show_link_error

st.set_page_config(page_title="Lazy Lab", page_icon="🦥", layout="wide")
apply_look()
keep_history()
mend_navigation()
fetch_plotly()
groups: dict[str, list] = {}
declared = {}
for name, page in pages().items():
    script = st.Page(
        f"{name}/page.py",
        title=page.title,
        icon=page.icon,
        url_path=path_of(name) or None,
        default=page.is_home,
    )
    groups.setdefault(page.group, []).append(script)
    declared[script.url_path] = page

chosen = st.navigation(groups, position="top")
with said_in_a_sentence(), checked_link(chosen.url_path), handed_back(chosen.url_path):
    declared[chosen.url_path].controls()
show_link_error(said_of_what_was_not_read())
with said_in_a_sentence():
    chosen.run()
