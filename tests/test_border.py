"""The border of the verdict on the map of a sweep: along the cells that are lazy."""

import itertools

import numpy as np
import plotly.graph_objects as go
from made_up_sweep import made_up_sweep, plane

from lazycore.figures import border, heatmap
from lazycore.papers.ours import home
from lazycore.results.plane import Axis, Cell, Plane, Run, plane_of


def made_up_plane(rows, y=(1.0, 10.0)):
    """Return a plane over α with a run of each of these verdicts; None for one not there yet."""

    def cell(a, b, word):
        status = "missing" if word is None else "done"
        return Cell(a, b, (Run("", "", status, word or "", "", 1.0),))

    x = tuple(10.0**k for k in range(len(rows[0])))
    cells = tuple(
        tuple(cell(a, b, word) for a, word in zip(x, row, strict=True))
        for b, row in zip(y, rows, strict=True)
    )
    return Plane("kernel_change", Axis("alpha", x), Axis("width", y), cells)


def sides(plane):
    """Return the sides of the border as pairs of corners."""
    line = border.traces(plane)[1]
    points = list(zip(line["x"], line["y"], strict=True))
    return {frozenset(map(_round, points[k : k + 2])) for k in range(0, len(points), 3)}


def _round(point):
    return tuple(round(float(np.log10(value)), 6) for value in point)


def test_the_border_runs_between_lazy_cells_and_the_others():
    found = sides(made_up_plane([["rich", "crossover", "lazy"], ["rich", "lazy", "lazy"]]))
    upright = {frozenset({(1.5, -0.5), (1.5, 0.5)}), frozenset({(0.5, 0.5), (0.5, 1.5)})}
    assert found == upright | {frozenset({(0.5, 0.5), (1.5, 0.5)})}


def test_the_border_is_no_contour_of_the_gap():
    # Both have a small gap: the kernel makes one a crossover.
    words = [["crossover", "lazy"], ["crossover", "lazy"]]
    assert len(sides(made_up_plane(words))) == 2


def test_no_border_is_drawn_beside_what_is_not_there_nor_where_all_are_alike():
    for words in ([["lazy", None], ["lazy", None]], [["rich", "rich"], ["rich", "crossover"]]):
        assert border.traces(made_up_plane(words)) == []


def test_the_map_has_the_border_with_a_rim_below_its_contours():
    drawn = heatmap.figure(plane(made_up_sweep()), (0.05,))
    go.Figure(drawn)
    names = [trace.get("name", "") for trace in drawn["data"]]
    assert names[1:3] == [f"{border.NAME}, rim", border.NAME]
    assert drawn["data"][1]["showlegend"] is False


def test_the_border_of_the_shipped_sweep_parts_its_verdicts_and_the_contour_does_not():
    table = home.sweep()
    assert table is not None
    shown = plane_of(table.frame, table.config.axes, "alpha", "width", "relative_gap", {})
    pairs = [pair for row in shown.rows for pair in itertools.pairwise(row)]
    pairs += [pair for two in itertools.pairwise(shown.rows) for pair in zip(*two, strict=True)]
    parted = sum((a.verdict == "lazy") != (b.verdict == "lazy") for a, b in pairs)
    assert len(sides(shown)) == parted > 0
    frame = table.frame
    assert ((frame["relative_gap"] < 0.05) & (frame["verdict"] != "lazy")).sum() > 0
