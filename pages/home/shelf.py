"""The shipped runs, by α: a control, cards, and which run the control stands for."""

import base64
from html import escape

import streamlit as st

from lazycore.config.run import RunConfig
from lazycore.figures import regimes, svg
from lazycore.papers.ours import home
from lazycore.results.quantities import NUMBERS
from lazycore.results.run import MODELS, RunResult
from pages.widgets import links
from pages.widgets.panels import show_several
from pages.widgets.summary import last, number, shown, verdict_in_colour

KEY = "at"
KEY_TO_LINES = (
    ":blue[━━━] solid: the network  \n:orange[╍╍╍] dashed: its linearisation  \n"
    "thick: training points, thin: new points"
)
STORIES = {
    "lazy": "Solid and dashed coincide: it learns as a linear model would.",
    "crossover": "The two begin to part.",
    "rich": "The network leaves its linearisation behind.",
    "undecided": "Too little is known of it to tell.",
}


def alpha_control() -> None:
    """Draw the slider over the α of the shipped runs, bound to the address."""
    with st.sidebar:
        st.select_slider(
            "α, output scale: rich to lazy",
            options=[f"{alpha:g}" for alpha in home.ALPHAS],
            value="1",
            key=KEY,
            bind="query-params",
        )
        st.caption(
            "Each stop is a finished run. The output is α·h(w); the loss is divided by α², so "
            "that every α learns at the same pace."
        )
        st.markdown(KEY_TO_LINES)


def chosen_run() -> RunResult | None:
    """Return the shipped run at the chosen α."""
    return home.nearest(float(st.session_state.get(KEY) or 1))


def alpha_of(result: RunResult) -> float:
    """Return the α of a shipped run."""
    return float((result.config or {})["alpha"])


def show_card(alpha: float) -> None:
    """Draw the verdict, the picture and the numbers of the shipped run at this α."""
    result = home.nearest(alpha)
    if result is None:
        return
    with st.container(border=True, height="stretch"):
        st.markdown(f"## {verdict_in_colour(result)} at α = {alpha:g}")
        st.html(_picture(alpha))
        st.markdown(STORIES[result.verdict])
        gap = number(result, "relative_gap")
        kernel = shown(NUMBERS["largest_kernel_change"].value(result), ".2g")
        losses = [shown(last(result, f"{m}.test_loss"), ".3f") for m in MODELS]
        st.caption(
            f"gap **{gap}** of the way · kernel change **{kernel}** · test loss "
            f"**{losses[0]}**, linearised **{losses[1]}**"
        )


@st.cache_data(show_spinner=False)
def _picture(alpha: float) -> str:
    result = home.nearest(alpha)
    assert result is not None
    drawn = svg.losses(result, svg.loss_range(list(home.runs())))
    data = base64.b64encode(drawn.encode()).decode()
    alt = svg.finding_of(result)
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(alt)}" style="width:100%">'


def take_cards_away() -> None:
    """Draw what can be taken away of the pictures on the cards."""
    results = [r for r in map(home.nearest, home.REGIMES) if r is not None]
    if results:
        drawn = regimes.figure(results)
        show_several(drawn, results, "regimes", "regimes.figure", drawn=False)


def explore_link(result: RunResult) -> None:
    """Draw a link that opens this run in Explore, where everything about it can be changed."""
    if result.config:
        address = links.link(RunConfig.from_dict(result.config))
        st.html(f'<a href="{address}" target="_self">Change anything about this run in Explore</a>')
