"""A figure of the paper on the page: ours over theirs, how far they agree, where it is from."""

from collections.abc import Sequence

import streamlit as st

from lazycore.config.sweep import SweepConfig
from lazycore.figures import export, reproduction
from lazycore.papers.card import cards
from lazycore.papers.claim import Row
from lazycore.papers.reproduction import Curve, Found, Reproduction
from lazycore.results.run import RunResult
from pages.figures.controls import Choice
from pages.widgets import links, sweeplink
from pages.widgets.chart import chart
from pages.widgets.jobs import Part
from pages.widgets.panels import take_away
from pages.widgets.paper import cited, key_of
from pages.widgets.tables import cell, show_table

MARKS = {True: "✓ yes", False: "✗ no", None: "–"}


def show_caption(figure: Reproduction) -> None:
    """Draw what the figure shows, and the paper that it is of."""
    of = f" ({cited(cards()[figure.paper])})" if figure.paper else ""
    st.markdown(figure.caption + of)


def show_figure(choice: Choice, parts: Sequence[Part]) -> None:
    """Draw the figure as far as it is, what can be taken away of it, and the agreement."""
    one, found = choice.figure, [part.found for part in parts]
    if one.kind == "neurons":
        _show_neurons(choice, parts)
    else:
        ours = one.curves(found) if choice.setting else _closed_form(one.name)[0]
        drawn = reproduction.figure(one, ours, choice.log)
        key = f"figure_{key_of(one.name)}"
        chart(drawn, key=key, revision=f"{key}-{choice.log}")
        take_away(drawn, key, code(choice))
    show_agreement(one.agreement(found) if choice.setting else _closed_form(one.name)[1])


@st.cache_resource(max_entries=8, show_spinner=False)
def _closed_form(name: str) -> tuple[list[Curve], list[Row]]:
    """Return the curves and the agreement of a figure that needs no runs, had once."""
    from lazycore.papers.reproduction import find

    nothing: list[Found] = []
    return find(name).curves(nothing), find(name).agreement(nothing)


def _show_neurons(choice: Choice, parts: Sequence[Part]) -> None:
    """Draw the neurons of each run that is there, one below the other."""
    for number, part in enumerate(parts):
        if isinstance(part.found, RunResult) and "neurons.nonlinear" in part.found.sparse:
            config = part.found.config or {}
            paired = "" if config["zero_output"] == "none" else ", paired"
            drawn = reproduction.neurons_figure(
                part.found, f"τ = {config['init_scale']:g}, m = {config['width']}{paired}"
            )
            key = f"figure_{key_of(choice.figure.name)}_{number}"
            chart(drawn, key=key, revision=part.config.digest)
            take_away(drawn, key, export.code(part.found.config, "neurons.figure"))


def show_agreement(rows: Sequence[Row]) -> None:
    """Draw what was found against what is allowed, line by line."""
    if not rows:
        return
    st.header("Agreement")
    show_table(
        ("claim", "computed here", "allowed", "holds"),
        [[*map(cell, (r.claim, r.measured, r.allowed)), MARKS[r.passed]] for r in rows],
    )


def show_sources(choice: Choice) -> None:
    """Draw what is computed and how it differs, links to it, and where the grey lines are from."""
    if choice.setting:
        st.markdown(f"{choice.setting.differs} *{choice.size.capitalize()}*: {_said(choice)}")
        st.html(" · ".join(_link(job) for job in choice.jobs))
    if choice.figure.missing:
        st.info(choice.figure.missing)
    if choice.figure.reported():
        st.caption(f"Grey is *reported*, not computed: {choice.figure.read_off()}.")


def _said(choice: Choice) -> str:
    assert choice.setting is not None
    return choice.setting.sizes[choice.size].said


def _link(job) -> str:
    if isinstance(job, SweepConfig):
        address = sweeplink.link(job)
        shape = " × ".join(f"{len(v)} {name}" for name, v in job.axes.items() if len(v) > 1)
        return f'<a href="{address}" target="_self">Open in Sweep: {shape or "one run"}</a>'
    which = "it" if job.init_scale is None else f"τ = {job.init_scale:g}"
    return f'<a href="{links.link(job)}" target="_self">Open {which} in Explore</a>'


def code(choice: Choice) -> str:
    """Return the command lines, and Python, that reproduce the figure."""
    one = choice.figure
    sweeps = [sweeplink.command(job) for job in choice.jobs if isinstance(job, SweepConfig)]
    runs = [job.to_dict() for job in choice.jobs if not isinstance(job, SweepConfig)]
    size = f'one.size("{choice.setting.name}", "{choice.size}").jobs' if choice.setting else "()"
    lines = [
        *(f"# {line}" for line in [*sweeps, *map(export.command, runs)]),
        "import lazycore",
        "import plotly.graph_objects as go",
        "from lazycore.figures import reproduction",
        "from lazycore.papers.reproduction import find",
        "",
        f'one = find("{one.name}")',
        f"found = [lazycore.{'run' if runs else 'sweep'}(job) for job in {size}]",
        "for row in one.agreement(found):",
        "    print(row.claim, row.measured, row.allowed, row.passed)",
        "go.Figure(reproduction.figure(one, one.curves(found))).show()",
    ]
    return "\n".join(lines)
