"""Feature or lazy on the page: the diagram, the collapses, the fluctuations, the powers."""

from collections.abc import Callable

import streamlit as st

from lazycore.config.sweep import SweepConfig
from lazycore.figures import phasecounts, phasecurves, phasemap, phasewidths
from lazycore.figures.phasewidths import said_of
from lazycore.figures.style import Figure
from lazycore.papers.feature_lazy.phases import Cube, settings
from lazycore.papers.feature_lazy.phases import gap as gaps
from pages.phases import controls, job
from pages.phases.controls import Choice
from pages.phases.powers import show_powers
from pages.widgets import sweeplink
from pages.widgets.chart import chart
from pages.widgets.links import page_address
from pages.widgets.panels import take_away
from pages.widgets.progress import duration
from pages.widgets.sentences import plain, said_in_a_sentence
from pages.widgets.tables import show_table


def show_phases(choice: Choice) -> None:
    """Draw everything that is known of the chosen sweep, then what stands beside it."""
    cubes, finer = job.refined(choice.config)
    cube, axis = cubes[0], ", in_alpha=True" if choice.in_alpha else ""
    st.caption(phasecounts.counted(cube) + _why(cube))
    left, right = st.columns(2, gap="medium")
    with left:
        _show(choice, "map", phasemap.figure(cube, choice.in_alpha), f"phasemap.figure(cube{axis})")
    with right:
        _curve(choice, cube, "kernel_change")
    with left:
        _show(choice, "border", phasewidths.border(cubes), "phasewidths.border([cube])")
        job.ask_button("Bisect the border further", job.BISECT, finer)
    with right:
        _curve(choice, cube, "rescaled_error")
    st.header("Fluctuations over the initial weights")
    left, right = st.columns(2, gap="medium")
    with left:
        _show(choice, "variance", phasewidths.variance(cube), "phasewidths.variance(cube)")
    with right:
        _curve(choice, cube, "scaled_variance")
    with left, said_in_a_sentence():
        sides = f"{choice.feature:g}, {choice.lazy:g}"
        drawn = phasewidths.ensemble(cube, choice.feature, choice.lazy)
        _show(choice, "ensemble", drawn, f"phasewidths.ensemble(cube, {sides})")
    with right:
        _curve(choice, cube, "half_time")
    show_powers(choice, cubes)
    _show_gaps()
    _show_long()


def _why(cube: Cube) -> str:
    """Return why runs ended early, the first two reasons."""
    return " Why: " + plain("; ".join(cube.messages[:2])) if cube.messages else ""


def _curve(choice: Choice, cube: Cube, name: str) -> None:
    draw: Callable[..., Figure] = phasecurves.CURVES[name]
    axis = ", in_alpha=True" if choice.in_alpha else ""
    _show(choice, name, draw(cube, choice.in_alpha), f"phasecurves.{name}(cube{axis})")


def _show(choice: Choice, name: str, drawn: Figure, call: str) -> None:
    key = f"phase_{name}"
    chart(drawn, f"chart_{key}", f"{choice.config.digest}-{choice.in_alpha}")
    take_away(drawn, key, code(choice.config, call))


def _show_gaps() -> None:
    """Draw which side is better for which network on which images, as it was found."""
    st.header("Which side is better?")
    rows, missing = [], []
    for one in settings.comparisons():
        cube = job.known_cube(one.config)
        found = gaps.gap(cube, *settings.SIDES.values()) if cube is not None else None
        missing += [] if cube is not None else [one.config]
        apart = found.difference if found else None
        rows.append(
            (
                one.data,
                one.network,
                f"{found.feature:.3f}" if found else "–",
                f"{found.lazy:.3f}" if found else "–",
                said_of(apart) if apart else "not computed yet" if cube is None else "–",
                f"{found.seeds}" if found else "–",
            )
        )
    head = ("images", "network", "feature", "lazy", "lazy − feature (95 %)", "N")
    show_table(head, rows, align="llrrrr")
    st.caption(
        "Test errors as found on few points. At n = 10⁴ Geiger et al. report fully connected "
        "networks better lazy, convolutional ones better as they learn features; a difference "
        "whose interval holds 0 says neither."
    )
    job.ask_button("Compute the comparison", job.COMPARE, missing)


def _show_long() -> None:
    """Draw the sweeps of the paper's size with what they would take; none is run unasked."""
    with st.expander("Sweeps of the paper's own size (n = 10⁴)", icon=":material/schedule:"):
        rows = []
        for one in settings.longs():
            address = page_address("phases", **controls.parameters(one.config), v="1")
            rows.append(
                (
                    f'<a href="{address}" target="_self">{one.name}</a>: {one.story}',
                    f"{len(one.config.cells):,}",
                    duration(one.seconds),
                    "over the limit of one sweep" if one.refusal else "within the limits",
                )
            )
        lines = "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in rows)
        head = "".join(f"<th align=left>{h}</th>" for h in ("sweep", "runs", "estimate", "budget"))
        st.html(f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>")
        st.caption(
            "The estimate is that of the budget: all runs one after another on one slow core. "
            "Above the limit, run it on the command line with `--no-budget`."
        )


def code(config: SweepConfig, call: str) -> str:
    """Return the command line, and Python, that reproduce a figure of this sweep."""
    lines = [
        f"# {sweeplink.command(config)}",
        "import lazycore",
        "import plotly.graph_objects as go",
        f"from lazycore.figures import {call.split('.')[0]}",
        "from lazycore.papers.feature_lazy.phases import cube_of",
        "",
        f"config = lazycore.SweepConfig.from_text({config.to_text()})",
        "cube = cube_of(lazycore.sweep(config))",
        f"go.Figure({call}).show()",
    ]
    return "\n".join(lines)
