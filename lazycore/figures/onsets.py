"""Where runs get lazy, drawn into lines along an axis: the threshold, α* and its interval."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazycore.figures import style
from lazycore.results.onset import THRESHOLDS, Onset, number
from lazycore.results.plane import Axis, Plane

Shape = dict[str, Any]


def marks(
    plane: Plane, found: Sequence[tuple[Onset | None, str]], log_y: bool
) -> tuple[list[Shape], list[Shape]]:
    """Return shapes and annotations: the threshold of the plane's quantity, dashed, and of each
    line, given with its colour, α* upright; a line that is alone has its interval shaded."""
    shapes, notes = _threshold(plane.quantity, log_y)
    for onset, color in found:
        if onset is None or not onset.is_there:
            continue
        shapes.append(_upright(onset.value, color))
        if len(found) == 1:
            shapes.append(_shaded(onset, plane.x, color))
            notes.append(_named(onset, plane.x, color))
    return shapes, notes


def _threshold(quantity: str, log_y: bool) -> tuple[list[Shape], list[Shape]]:
    if quantity not in THRESHOLDS:
        return [], []
    level = THRESHOLDS[quantity]
    line = {"color": style.GREEN, "width": 2, "dash": "8px,5px"}
    said = style.note(
        f"lazy below {level:g}",
        x=0.01,
        xanchor="left",
        yref="y",
        y=float(np.log10(level)) if log_y else level,
        yanchor="top",
    )
    return [style.level(level) | {"line": line}], [said]


def _upright(place: float, color: str) -> Shape:
    return {
        "type": "line",
        "xref": "x",
        "x0": place,
        "x1": place,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": color, "width": 2, "dash": "2px,3px"},
    }


def _shaded(onset: Onset, axis: Axis, color: str) -> Shape:
    ends = np.power(10.0, axis.ends) if axis.log else np.array(axis.ends)
    low, high = np.clip([onset.low, onset.high], *ends).tolist()
    return {
        "type": "rect",
        "xref": "x",
        "x0": low,
        "x1": high,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "fillcolor": color,
        "opacity": 0.12,
        "line": {"width": 0},
        "layer": "below",
    }


def _named(onset: Onset, axis: Axis, color: str) -> Shape:
    return style.note(
        f" {axis.said}* = {number(onset.value)}",
        xref="x",
        x=float(np.log10(onset.value)) if axis.log else onset.value,
        xanchor="left",
        font={"size": 13, "color": color},
    )
