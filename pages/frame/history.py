"""One act of a person, one entry in the browser's history: so that Back undoes it.

Streamlit writes an entry for each field that a click sets, one more when a page is entered, and
none for what is typed. Here the first change of the address after a click or a key is an entry,
and what follows from it, until the next, is part of it. Back and Forward open what the address
says, as a link does.
"""

import streamlit as st
from streamlit.components.v2 import component

SCRIPT = """
const acts = ["pointerdown", "keydown"];

export default function () {
  if (globalThis.lazylabHistory) return;
  globalThis.lazylabHistory = true;
  const { history, location } = globalThis;
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  let acted = false, last = new URL(location.href);
  for (const act of acts) addEventListener(act, () => { acted = true; }, true);
  addEventListener("popstate", (event) => {
    const before = last;
    // The way back is no new act, also where a key was pressed for it.
    acted = false;
    last = new URL(location.href);
    if (last.pathname + last.search === before.pathname + before.search) return;
    // Controls that are not on the page now could not take what the address says of them, and
    // a page that is entered is told what its controls held last.
    event.stopImmediatePropagation();
    location.reload();
  }, true);
  const write = (state, title, url) => {
    const changes = url != null && new URL(url, location.href).href !== location.href;
    (changes && acted ? push : replace)(state, title, url);
    if (changes) acted = false;
    last = new URL(location.href);
  };
  history.pushState = write;
  history.replaceState = write;
}
"""

_mount = component("lazylab_history", html="<span></span>", js=SCRIPT, isolate_styles=False)


def keep_history() -> None:
    """Watch over the browser's history from this page on."""
    with st.container(key="history"):
        _mount(key="history_watch")
