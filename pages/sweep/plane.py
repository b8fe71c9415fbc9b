"""A sweep on the page: the heat map and its lines, the exponents, and the runs of one cell."""

import streamlit as st

from lazycore.config.run import RunConfig
from lazycore.figures import bands, heatmap, quantity
from lazycore.results import onset
from lazycore.results.groups import counted
from lazycore.results.plane import Cell, Plane, Run, plain, plane_of
from lazycore.results.quantities import QUANTITIES
from lazycore.results.sweep import SweepResult
from pages.sweep.groups import name_of, show_groups
from pages.sweep.onsets import show_onset, show_onsets
from pages.widgets import links, sweeplink
from pages.widgets.chart import chart, clicked, map_chart
from pages.widgets.comparelink import compare_link
from pages.widgets.panels import take_away
from pages.widgets.resources import store
from pages.widgets.sweeplink import CELL
from pages.widgets.sweepview import View, rows_of

MAP = "chart_sweep_map"
MOST_LINKS = 30


def show_plane(table: SweepResult, view: View) -> None:
    """Draw the heat map with the runs of the chosen cell, beside the lines with their exponents."""
    axes, base = table.config.axes, table.config.base.resolve().to_dict()
    frame = table.frame
    plane = plane_of(frame, axes, view.x, view.y, view.quantity, view.fixed)
    lazy_from = onset.along(frame, axes, view.x, view.y, view.fixed)
    revision = f"{table.config.digest}-{view.x}-{view.y}"
    if plane.y is None:
        show_onset(plane.x, lazy_from[0])
    # Along one axis the line comes first, and the map is what cells are chosen from.
    left, right = st.columns([1.1, 1], gap="medium")
    for_map, for_lines = (left, right) if plane.y else (right, left)
    with for_map:
        levels = heatmap.parse_levels(view.levels, view.quantity)
        cell = _chosen_cell(plane)
        drawn = heatmap.figure(plane, levels, base.get("loss"), cell)
        map_chart(drawn, MAP, revision)
        take_away(drawn, "sweep_map", sweeplink.code(table.config, view, "map"))
        _show_cell(table, plane, view, cell)
    with for_lines:
        rows = rows_of(view, plane.y.values if plane.y else (None,))
        drawn = bands.figure(plane, rows, base, lazy_from=lazy_from)
        chart(drawn, "chart_sweep_lines", f"{revision}-{view.quantity}")
        take_away(drawn, "sweep_lines", sweeplink.code(table.config, view, "lines"))
        if plane.y:
            show_onsets(plane, rows, lazy_from)
        _show_exponents(plane, rows, base)
    show_groups(table, plane, view)


def take_table_away(table: SweepResult) -> None:
    """Draw what can be taken away of the whole table."""
    name = f"sweep-{table.config.digest}"
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        verdicts = f": {counted(table.verdicts)}" if table.verdicts else ""
        st.caption(f"The table: {table.total:,} runs{verdicts}; {len(QUANTITIES)} quantities")
        for label, ending, mime, data in (
            ("CSV of all runs", "csv", "text/csv", lambda: table.frame.to_csv(index=False)),
            (
                "Parquet",
                "parquet",
                "application/vnd.apache.parquet",
                lambda: table.frame.to_parquet(index=False),
            ),
        ):
            st.download_button(
                label,
                data,
                file_name=f"{name}.{ending}",
                mime=mime,
                type="tertiary",
                key=f"table_{ending}",
                on_click="ignore",
            )


def _chosen_cell(plane: Plane) -> Cell | None:
    """Return the cell that was clicked last; the address names it by a run of it."""
    place = clicked(MAP)
    if place is not None and place[0] < len(plane.rows) and place[1] < len(plane.rows[0]):
        runs = plane.rows[place[0]][place[1]].runs
        st.query_params[CELL] = runs[0].digest if runs else ""
    wanted = st.query_params.get(CELL)
    return next((c for c in plane.cells() if any(r.digest == wanted for r in c.runs)), None)


def _show_cell(table: SweepResult, plane: Plane, view: View, cell: Cell | None) -> None:
    """Draw the runs of a cell, each with a link to Explore, and one that compares them."""
    if cell is None:
        st.caption("Click a cell of the map to see its runs and open them in Explore.")
        return
    configs = {c.digest: c.config for c in table.config.cells}
    with st.container(border=True, key="cell"):
        where = [plane.x.shown(cell.x), *([plane.y.shown(cell.y)] if plane.y else [])]
        st.markdown(f"**{', '.join(where)}**: {_summary(plane, cell)}")
        if cell.middle and len(cell.runs) > 1:
            st.html(_open(configs[cell.middle.digest], "Open the median run in Explore"))
        st.html(" · ".join(_open(configs[r.digest], _said(r)) for r in cell.runs[:MOST_LINKS]))
        kept = [run.digest for run in cell.runs[:MOST_LINKS] if run.digest in store()]
        if len(kept) > 1:
            compare_link([name_of(table, view, cell)], "Compare these runs")


def _summary(plane: Plane, cell: Cell) -> str:
    if not cell.count:
        return heatmap.MARKS[cell.mark][0] if cell.mark else "no value"
    name = quantity.meaning(plane.quantity)
    return f"{name} {plain(cell.median)}, {cell.verdict}, N = {cell.count}"


def _said(run: Run) -> str:
    value = f": {plain(run.value)}" if run.value == run.value else ""
    ending = "" if run.status == "done" else f" ({run.status})"
    return f"{run.seed or 'Open this run in Explore'}{value}{ending}"


def _open(config: RunConfig, label: str) -> str:
    return f'<a href="{links.link(config)}" target="_self">{label}</a>'


def _show_exponents(plane: Plane, rows: list[int], base: dict) -> None:
    found = bands.fits(plane, rows)
    if not found:
        if plane.x.log:
            st.caption("An exponent takes three values along the axis that have ended.")
        return
    theorem = bands.guide(plane, base)
    said = f"{theorem.exponent:g}".replace("-", "−") if theorem else "–"
    lines = [
        f"| {fit.label} | {fit.measured} | {fit.exponent.seeds} | {_over(fit)} |" for fit in found
    ]
    head = [f"| power of {plane.x.said} | measured (95 %) | N | over |", "|---|---|---|---|"]
    st.markdown("\n".join([*head, *lines]))
    source = f"{theorem.source} says {said}. " if theorem else ""
    st.caption(
        f"{source}Least squares on logarithms for each seed; intervals by resampling the seeds, "
        "with fewer than three from the scatter about the line. Fitted where the runs are lazy, if "
        "three values are."
    )


def _over(fit: bands.Fit) -> str:
    ends = f"{plain(fit.over[0])} … {plain(fit.over[-1])}"
    return f"{ends}, lazy" if fit.lazy else ends
