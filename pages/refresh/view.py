"""Iterative linearisation on the page: the error over all K, and one of its runs."""

import streamlit as st

from lazycore.figures import export, panels, updates
from lazycore.results.run import RunResult
from pages.refresh.controls import Choice
from pages.widgets import links
from pages.widgets.chart import chart
from pages.widgets.panels import show_panel, take_away
from pages.widgets.resources import finished
from pages.widgets.summary import last, shown

SHOWN = ("stages", "stage_filters", "learned", "outputs_plane", "losses")
"""The figures of one run that are about its stages, as far as the run has them."""
MOST = 4


def show_all(choice: Choice) -> None:
    """Draw the error at the end against the number of updates, over every K and seed."""
    results = [
        result
        for config in choice.problem.configs(choice.variant)
        if (result := finished(config.digest)) is not None
    ]
    if not results:
        st.info(
            "The shipped runs are missing: compute them with "
            "`python -m lazycore.papers.shelf refresh --missing`."
        )
        return
    count = _updates(choice)
    figure = updates.figure(results, choice.log, chosen=count)
    name = "refresh_updates"
    chart(figure, key=f"chart_{name}", revision=f"{choice.problem.name}-{choice.log}")
    take_away(figure, name, _code(choice))


def show_one(choice: Choice) -> None:
    """Draw the run at the chosen K: its numbers, its stages, its paths."""
    result = finished(choice.config.digest)
    if result is None:
        st.info(f"The run at K = {choice.every:,} is not there: open it in Explore to compute it.")
        _explore_link(choice)
        return
    st.header(f"K = {choice.every:,}: {_count(_updates(choice))}")
    if result.latest.get("refreshed.status") == "diverged":
        st.warning(
            "This path diverged: a stage took steps beyond the limit of stability of its linear "
            "model. It is drawn up to there, and counted above.",
            icon=":material/trending_up:",
        )
    _numbers(result)
    _explore_link(choice)
    found = {panel.name: panel for panel in panels() if panel.shows(result)}
    drawn = [found[name] for name in SHOWN if name in found][:MOST]
    for start in range(0, len(drawn), 2):
        row = zip(st.columns(2, gap="medium"), drawn[start : start + 2], strict=False)
        for place, panel in row:
            with place:
                show_panel(panel, result, "refresh", choice.log)


def _numbers(result: RunResult) -> None:
    sorts = last(result, "refreshed.test_error") is not None
    name, form = ("test_error", ".1%") if sorts else ("train_loss", ".4g")
    said = "Share of test points that are wrong" if sorts else "Training loss"
    st.caption(f"{said} at the end, and how far from unstable the stages came.")
    models = (
        ("gradient descent", "nonlinear"),
        ("iterative linearisation", "refreshed"),
        ("lazy", "linearized"),
    )
    *places, right = st.columns(4)
    for place, (label, model) in zip(places, models, strict=True):
        ended = result.latest.get(f"{model}.status") == "diverged"
        value = "diverged" if ended else shown(last(result, f"{model}.{name}"), form)
        place.metric(label, value)
    largest = max(float(value) for value in result.latest["refreshed.stability"])
    right.metric("largest ηλ_max of a stage", f"{largest:.3g}", help="Above 2 its steps diverge.")


def _explore_link(choice: Choice) -> None:
    address = links.link(choice.config)
    said = "Change anything about this run in Explore"
    st.html(f'<a href="{address}" target="_self">{said}</a>')


def _updates(choice: Choice) -> int:
    steps = choice.config.resolve().steps or 1
    return -(-steps // choice.every)


def _count(updates: int) -> str:
    return f"{updates:,} feature update{'s' * (updates > 1)}"


def _code(choice: Choice) -> str:
    """Return the command line, and Python, that reproduce the figure over K."""
    config = choice.config.to_dict()
    fewest = {k: v for k, v in export.minimal(config).items() if k not in ("refresh_every", "seed")}
    lines = [
        f"# {export.command(config)}",
        "import lazycore",
        "import plotly.graph_objects as go",
        "from lazycore.figures import updates",
        "",
        f"fields = {fewest}",
        "results = [",
        '    lazycore.run(lazycore.RunConfig.from_dict(fields | {"refresh_every": k, "seed": s}))',
        f"    for k in {list(choice.problem.every_of(choice.variant))}",
        f"    for s in {list(choice.problem.seeds_of(choice.variant))}",
        "]",
        "go.Figure(updates.figure(results)).show()",
    ]
    return "\n".join(lines)
