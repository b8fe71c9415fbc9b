"""Play, pause and a slider over flow time, for figures that move on the client."""

import numpy as np

from lazycore.figures import style
from lazycore.figures.style import Figure
from lazycore.results.run import RunResult

MOST_FRAMES = 60
PAUSE = 60
"""Milliseconds of a frame."""
AT_ONCE = {"mode": "immediate", "transition": {"duration": 0}}


def buttons(pause: int = PAUSE, redraw: bool = False) -> dict:
    """Return a play and a pause button below a figure.

    pause: milliseconds of a frame. redraw: for maps, which do not move without.
    """
    play = {"fromcurrent": True, "frame": {"duration": pause, "redraw": redraw}} | AT_ONCE
    stop = {"frame": {"duration": 0, "redraw": False}} | AT_ONCE
    return {
        "type": "buttons",
        "direction": "left",
        "showactive": False,
        "x": 0,
        "xanchor": "left",
        "y": -0.22,
        "yanchor": "top",
        "pad": {"t": 0, "r": 8},
        "buttons": [
            {"label": "▶ play", "method": "animate", "args": [None, play]},
            {"label": "❚❚", "method": "animate", "args": [[None], stop]},
        ],
    }


def opened(figure: Figure, result: RunResult) -> Figure:
    """Return the figure as it opens: at its first frame, for it is to be played; of a run that
    still goes on at its last, which is where the run is."""
    return at_frame(figure, len(figure["frames"]) - 1 if result.status == "running" else 0)


def at_frame(figure: Figure, number: int) -> Figure:
    """Return the figure with the marks and the slider where this frame has them."""
    frame = figure["frames"][number]
    data = list(figure["data"])
    for place, trace in zip(frame["traces"], frame["data"], strict=True):
        data[place] = trace
    sliders = [one | {"active": number} for one in figure["layout"]["sliders"]]
    return figure | {"data": data, "layout": figure["layout"] | {"sliders": sliders}}


def slider(shown: np.ndarray, times: np.ndarray, redraw: bool = False) -> dict:
    """Return the slider over the frames named by `shown`, at these flow times; the last is on."""
    jump = {"frame": {"duration": 0, "redraw": redraw}} | AT_ONCE
    return {
        "active": len(shown) - 1,
        "x": 0.46,
        "len": 0.54,
        "y": -0.17,
        "yanchor": "top",
        "pad": {"t": 0, "b": 0},
        "currentvalue": {"prefix": "flow time t = ", "font": {"size": 12, "color": style.INK}},
        "ticklen": 0,
        "minorticklen": 0,
        "font": {"color": "rgba(0,0,0,0)"},
        "steps": [
            {"label": f"{t:.3g}", "method": "animate", "args": [[str(k)], jump]}
            for k, t in zip(shown, times, strict=True)
        ],
    }
