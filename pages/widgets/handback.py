"""Hand a page its controls back when it is entered again, to the browser and into its address.

Streamlit keeps the values of bound controls through navigation and tells the browser of those that
it believes changed. A browser that is still clearing up the page before (two clicks in quick
succession, a busy machine) clears the address or the boxes after that; so all are told again. On
the way Back its controls clear the address that they were opened by: it is written once more.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import streamlit as st
from streamlit.components.v2 import component
from streamlit.errors import StreamlitAPIException

from pages.widgets.parameters import belongs

_PAGE, _KEPT = "page drawn last", "controls by page"

SCRIPT = """
// One entry of the history for each page: what changes in the address of a page replaces it.
if (!globalThis.lazylabHistory) {
  const push = globalThis.lazylabHistory = history.pushState.bind(history);
  history.pushState = (state, title, address) => {
    const same = new URL(address ?? "", location.href).pathname === location.pathname;
    return same ? history.replaceState(state, title, address) : push(state, title, address);
  };
}
export default function ({ data: { page, parameters } }) {
  const write = () => {
    const said = new URLSearchParams(location.search);
    const missing = Object.entries(parameters).filter(([name, value]) => said.get(name) !== value);
    if (!missing.length || !location.pathname.endsWith(`/${page}`)) return;
    for (const [name, value] of missing) said.set(name, value);
    history.replaceState(history.state, "", `${location.pathname}?${said}`);
  };
  const timers = [0, 150, 600].map((wait) => setTimeout(write, wait));
  return () => timers.forEach(clearTimeout);
}
"""

_mount = component("lazylab_address", html="<span></span>", js=SCRIPT, isolate_styles=False)


@contextmanager
def handed_back(page: str) -> Iterator[None]:
    """Draw the controls of this page with their values said again where it was just entered.

    An address that says what they are, as Back and Forward open it, goes before what was kept.
    """
    kept = st.session_state.setdefault(_KEPT, {})
    if st.session_state.get(_PAGE, page) != page:
        before = kept.get(page, {})
        if before.keys() & st.query_params.to_dict().keys():
            for key in before:
                with suppress(KeyError):
                    del st.session_state[key]
        else:
            for key, value in before.items():
                with suppress(StreamlitAPIException, KeyError):
                    del st.query_params[key]
                st.session_state[key] = st.session_state.get(key, value)
    yield
    own = [key for key in st.query_params if belongs(key, page) and key in st.session_state]
    kept[page] = {key: st.session_state[key] for key in own}
    st.session_state[_PAGE] = page


def one_entry_for_each_page() -> None:
    """Have the browser keep one entry of its history for each page, whatever its controls say."""
    _write("history", "", {})


def keep_address(page: str) -> None:
    """Have the browser write into the address of this page what its controls say."""
    said = {key: st.query_params.get_all(key) for key in st.session_state.get(_KEPT, {})[page]}
    single = {key: values[0] for key, values in said.items() if len(values) == 1}
    _write("address", page, single)


def _write(key: str, page: str, parameters: dict[str, str]) -> None:
    with st.container(key=f"unseen_{key}"):
        _mount(key=key, data={"page": page, "parameters": parameters})
