"""A theorem on the page: its hypotheses, its lines under their bounds, its rates."""

import itertools
from collections.abc import Mapping, Sequence

import streamlit as st

from lazycore.figures import bound, exponent, export, kappa, outputs_plane
from lazycore.papers.theorem import Line, Rate, Theorem
from lazycore.results.run import RunResult
from pages.theorems import runs
from pages.theorems.controls import Choice
from pages.widgets import links, sweeplink
from pages.widgets.chart import chart
from pages.widgets.panels import take_away
from pages.widgets.paper import key_of, placed
from pages.widgets.progress import ask
from pages.widgets.sentences import show_warning
from pages.widgets.tables import cell, show_table

MARKS = {"✓": ":green[**✓**]", "✗": ":red[**✗**]", "?": ":gray[**?**]"}
AGREES = {True: MARKS["✓"], False: MARKS["✗"], None: ""}
FEWEST = 3


def show_statement(theorem: Theorem) -> None:
    """Draw the statement in formulas, and where it is from."""
    with st.container(border=True):
        st.markdown(_math(theorem.statement))
        source = placed(theorem.paper, theorem.source)
        st.caption(source + (f". {theorem.remark}" if theorem.remark else "."))


def show_hypotheses(theorem: Theorem, result: RunResult) -> None:
    """Draw each hypothesis with what was found on this run; one that fails is said."""
    found = theorem.hypotheses(result)
    rows = [(MARKS[h.mark], _math(h.text), cell(h.found)) for h in found]
    show_table(("met", "hypothesis", "on this problem"), rows)
    failing = [h for h in found if h.holds is False]
    if failing:
        said = "; ".join(h.found for h in failing)
        show_warning(f"The theorem says nothing here: {said}.", icon=":material/rule:")


def show_lines(choice: Choice, result: RunResult, others: Mapping[str, RunResult]) -> None:
    """Draw every line under its bound, those of one group in one figure."""
    lines = choice.theorem.lines(result, others)
    drawn = [list(part) for _, part in itertools.groupby(lines, key=_group)]
    name = key_of(choice.theorem.name)
    shows_plane = outputs_plane.PANEL.shows(result)
    places = st.columns(2, gap="medium")
    if shows_plane:
        with places[0]:
            _show_plane(result, name)
    for number, part in enumerate(drawn):
        with places[(number + shows_plane) % 2]:
            figure = bound.figure(part, result, choice.log)
            key = f"theorem_{name}_{number}"
            chart(figure, key=f"chart_{key}", revision=f"{result.digest}-{choice.log}")
            take_away(figure, key, _code(choice, lines.index(part[0]), len(part)))


def _show_plane(result: RunResult, name: str) -> None:
    figure = outputs_plane.figure(result)
    key = f"theorem_{name}_plane"
    chart(figure, key=f"chart_{key}", revision=result.digest)
    take_away(figure, key, export.code(result.config, "outputs_plane.figure"))


def show_rates(choice: Choice, results: Sequence[RunResult]) -> None:
    """Draw the exponents over the runs that differ in α only, or how to have them."""
    theorem = choice.theorem
    if not theorem.alphas:
        return
    st.header("Over α")
    missing = len(runs.siblings(choice)) - len(results)
    if missing:
        st.button(
            f"Compute {missing} more runs, at other α",
            icon=":material/play_arrow:",
            key="compute_siblings",
            on_click=ask,
            args=(runs.SIBLINGS,),
        )
    rates = theorem.rates(results) if len(results) >= FEWEST else []
    if rates:
        left, right = st.columns([1, 1.2], gap="medium")
        with left:
            _table(rates)
        if theorem.slopes:
            with right:
                _show_exponent(results, theorem.name)


def _show_exponent(results: Sequence[RunResult], name: str) -> None:
    figure = exponent.figure(results)
    key = f"theorem_exponent_{key_of(name)}"
    chart(figure, key=f"chart_{key}", revision="-".join(r.digest for r in results))
    configs = [result.config for result in results if result.config]
    take_away(figure, key, export.code_over_alpha(configs, "exponent.figure"))


def show_sweep(choice: Choice) -> None:
    """Draw κ against the width, over scalings and seeds, where the statement has such a sweep."""
    sweep = choice.theorem.sweep
    if sweep is None:
        return
    st.header("κ against the width")
    table = runs.table(sweep)
    if table.done < table.total:
        st.button(
            f"Sweep {table.total} runs",
            icon=":material/play_arrow:",
            key="compute_sweep",
            on_click=ask,
            args=(runs.SWEEP,),
        )
        st.caption(f"{table.done} of {table.total} networks are there.")
    if table.done:
        figure = kappa.figure(table.frame, choice.log)
        left, right = st.columns([1.5, 1], gap="medium")
        with left:
            chart(figure, key="chart_theorem_kappa", revision=f"{sweep.digest}-{choice.log}")
            take_away(figure, "theorem_kappa", _sweep_code(sweep))
        with right:
            _table(choice.theorem.sweep_rates(table.frame))
            st.html(f'<a href="{sweeplink.link(sweep)}" target="_self">Open in Sweep</a>')


def explore_link(choice: Choice) -> None:
    """Draw a link that opens the run in Explore."""
    address = links.link(choice.config)
    st.html(f'<a href="{address}" target="_self">Open this run in Explore</a>')


def _table(rates: Sequence[Rate]) -> None:
    rows = [
        (
            cell(r.name),
            f"{'≤ ' if r.at_most and r.expected is not None else ''}{_number(r.expected)}",
            f"{_number(r.value)} ({_number(r.low)} to {_number(r.high)})",
            AGREES[r.agrees],
            cell(r.over),
        )
        for r in rates
    ]
    show_table(("rate", "expected", "measured (95 %)", "agrees", "over"), rows, align="lrrll")


def _number(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.3f}".replace("-", "−")


def _math(text: str) -> str:
    """Return markdown whose norms, all of them in formulas, are as TeX spells them."""
    return text.replace("‖", r"\Vert ")


def _group(line: Line) -> str:
    return line.group or line.name


def _code(choice: Choice, first: int, count: int) -> str:
    """Return the command line, and Python, that reproduce one figure of a theorem."""
    config = choice.config.resolve().to_dict()
    lines = [
        f"# {export.command(config)}",
        "import lazycore",
        "import plotly.graph_objects as go",
        "from lazycore.figures import bound",
        "from lazycore.papers.theorem import theorems",
        "",
        f"theorem = theorems()[{choice.theorem.name!r}]",
        f"config = lazycore.RunConfig.from_dict({export.minimal(config)})",
        "result = lazycore.run(config)",
        "others = {k: lazycore.run(c) for k, c in theorem.companions(result).items()}",
        "for hypothesis in theorem.hypotheses(result):",
        "    print(hypothesis.mark, hypothesis.text, hypothesis.found)",
        f"lines = theorem.lines(result, others)[{first}:{first + count}]",
        "go.Figure(bound.figure(lines, result)).show()",
    ]
    return "\n".join(lines)


def _sweep_code(sweep) -> str:
    lines = [
        f"# {sweeplink.command(sweep)}",
        "import lazycore",
        "import plotly.graph_objects as go",
        "from lazycore.figures import kappa",
        "",
        f"config = lazycore.SweepConfig.from_text({sweep.to_text()})",
        "go.Figure(kappa.figure(lazycore.sweep(config).frame)).show()",
    ]
    return "\n".join(lines)
