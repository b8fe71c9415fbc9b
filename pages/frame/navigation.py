"""On a telephone the navigation stands in the sidebar, and its groups are lists of no valid form:
Streamlit puts boxes between a list and its entries. Told to be no lists, they are read as links.
"""

import streamlit as st
from streamlit.components.v2 import component

SCRIPT = """
const list = '[data-testid="stSidebarNavItems"]';
const unmended = `${list}:not([role]), ${list} li:not([role])`;

export default function () {
  if (globalThis.lazylabNavigation) return;
  globalThis.lazylabNavigation = true;
  const mend = () => {
    for (const part of document.querySelectorAll(unmended)) part.setAttribute("role", "none");
  };
  mend();
  new MutationObserver(mend).observe(document.body, { childList: true, subtree: true });
}
"""

_mount = component("lazylab_navigation", html="<span></span>", js=SCRIPT, isolate_styles=False)


def mend_navigation() -> None:
    """Watch over the navigation from this page on."""
    with st.container(key="navigation"):
        _mount(key="navigation_watch")
