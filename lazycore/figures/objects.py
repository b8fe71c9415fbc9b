"""What an object of the library draws of itself: its figures by name, and one small picture.

This is the `lazycore.results.drawn.Artist` of the library: results know no figures.
"""

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lazycore.errors import ConfigError
from lazycore.figures import bands, heatmap, panels, panels_of, style, svg
from lazycore.machine.extras import need
from lazycore.results.plane import Plane, axes_of, plane_of
from lazycore.results.quantities import QUANTITIES
from lazycore.results.run import RunResult
from lazycore.results.verdict import LAZY_GAP

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

OF_TABLES = {
    "lines": "How does a quantity go along an axis, with bands over the seeds?",
    "map": "What is a quantity at each place of the plane, and where is the border of lazy?",
}
"""The figures of a table of runs, and what each answers."""
OF_LOSSES = "solid: network, dashed: linearisation; thin: on test points"
OF_GAPS = "● lazy, ■ crossover, ◆ rich, ○ no verdict"
PAPER = "white"
"""Outside the app no page gives a figure its ground, and its ink is for a light one."""


def figures(thing: Any) -> dict[str, str]:
    """Return the question of each figure that a run, a sweep or comparisons have, by its name."""
    if isinstance(thing, RunResult):
        return {panel.name: panel.question for panel in panels_of(thing)}
    return dict(OF_TABLES)


def plot(thing: Any, name: str, options: Mapping[str, Any]) -> "Figure":
    """Return the figure of this name as plotly has it.

    Raises `ConfigError` for a name that the object has no figure of, `LazyLabError` where plotly
    is not installed.
    """
    _check_name(thing, name)
    if isinstance(thing, RunResult):
        panel = next(panel for panel in panels() if panel.name == name)
        drawn = panel.draw(thing, bool(options.get("log", True)))
    else:
        drawn = _of_table(thing, name, **options)
    need("plot", "plotly")
    from plotly.graph_objects import Figure

    return Figure(drawn).update_layout(paper_bgcolor=PAPER, plot_bgcolor=PAPER)


def picture(thing: Any) -> str:
    """Return a small SVG: the losses of a run; of a table its gaps along its first axis."""
    if isinstance(thing, RunResult):
        return _captioned(svg.losses(thing), OF_LOSSES)
    axes, frame = thing.axes_and_base[0], thing.frame
    numbered = [name for name in axes_of(list(axes)) if _is_number(axes[name])]
    numbered.sort(key=lambda name: name != "alpha")
    if not numbered or "relative_gap" not in frame:
        return ""
    x = numbered[0]
    words = frame["verdict"].where(frame["status"] == "done", "")
    places = zip(frame[x].astype(float), frame["relative_gap"], words.fillna(""), strict=True)
    return _captioned(svg.gaps(list(places), x_name=_said(x), level=LAZY_GAP), OF_GAPS)


def _captioned(picture: str, words: str) -> str:
    return f'{picture}<div style="font-size:12px;opacity:.75;text-align:center">{words}</div>'


def _is_number(values: tuple[Any, ...]) -> bool:
    return all(isinstance(value, (int, float)) and value > 0 for value in values)


def _said(name: str) -> str:
    return {"alpha": "output scale α", "width": "width m"}.get(name, name)


def _check_name(thing: Any, name: str) -> None:
    known = figures(thing)
    if name in known:
        return
    if isinstance(thing, RunResult) and name in [panel.name for panel in panels()]:
        raise ConfigError(
            f"this run has not recorded what the figure {name!r} shows: it has {', '.join(known)}."
        )
    close = difflib.get_close_matches(str(name)[:40], known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known) or 'none'}."
    raise ConfigError(f"there is no figure {str(name)[:40]!r}: {hint}")


def _of_table(
    thing: Any,
    name: str,
    quantity: str,
    x: str | None = None,
    y: str | None = None,
    **at: Any,
) -> style.Figure:
    """Return the map or the lines of a quantity over the axes x and y of a table."""
    if quantity not in QUANTITIES:
        close = difflib.get_close_matches(str(quantity)[:40], QUANTITIES, n=1)
        raise ConfigError(
            f"there is no quantity {str(quantity)[:40]!r}: "
            + (f"did you mean {close[0]!r}?" if close else f"as in {', '.join([*QUANTITIES][:4])}.")
        )
    axes, base = thing.axes_and_base
    for other, value in at.items():
        if other not in axes:
            raise ConfigError(f"{other!r} is not an axis of this table: it has {', '.join(axes)}.")
        if value not in axes[other]:
            values = ", ".join(map(str, axes[other]))
            raise ConfigError(f"{other}={value} is not on its axis: give {values}.")
    free = sorted(
        (axis for axis in axes_of(list(axes)) if axis not in at), key=lambda name: name != "alpha"
    )
    x = x or next((axis for axis in free if axis != y), None)
    y = y or next((axis for axis in free if axis != x), None)
    if x is None:
        raise ConfigError("every axis is held at a value: leave one out, to draw along it.")
    plane = plane_of(_with_digests(thing.frame), axes, x, y, quantity, at)
    if name == "map":
        return heatmap.figure(plane, heatmap.parse_levels("", quantity), base.get("loss"))
    return bands.figure(plane, _rows(plane), base)


def _rows(plane: Plane) -> list[int]:
    """Return as many rows as lines are told apart, evenly spread."""
    return style.thinned(len(plane.rows), bands.MOST_LINES).tolist()


def _with_digests(frame: Any) -> Any:
    """Return the frame with a name for each run; comparisons of a module have no digests."""
    return frame if "digest" in frame else frame.assign(digest=np.arange(len(frame)).astype(str))
