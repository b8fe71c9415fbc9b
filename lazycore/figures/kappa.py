"""κ against the width, for both output scales of the paper."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lazycore.figures import finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.papers.lazy_training.theorems.kappa_criterion import expected_kappa

if TYPE_CHECKING:
    import pandas as pd

LOOKS = {
    "ntk": ("α(m) = 1/√m", style.BLUE, "circle"),
    "mean_field": ("α(m) = 1/m", style.VERMILLION, "square"),
}


def figure(frame: "pd.DataFrame", log: bool = True) -> Figure:
    """Return κ of every network of a sweep over scaling, width and seeds.

    A mark is a network, the line their mean at each width, the dotted line the shape
    m^(−1/2) + (m α(m))^(−1), brought to the height of the means: a rate, not a bound.
    """
    data = [
        trace
        for scaling in LOOKS
        for trace in _traces(frame[(frame.scaling == scaling) & frame.kappa.notna()], scaling)
    ]
    return style.figure(
        data,
        title="κ at w₀ against the width",
        subtitle="mean over seeds; dotted: the shape m<sup>−1/2</sup> + (m α(m))<sup>−1</sup>",
        x=style.axis("width m (hidden units)", log),
        y=style.axis("κ at w₀ (no unit)", log),
        alt=_finding(frame),
        height=430,
        hovermode="closest",
    )


def _finding(frame: "pd.DataFrame") -> str:
    """Return how the mean κ goes with the width for each output scale."""
    parts = ["κ of networks at their initial weights against the width, means over seeds"]
    for scaling, (name, *_) in LOOKS.items():
        part = frame[(frame.scaling == scaling) & frame.kappa.notna()]
        if not part.empty:
            means = part.groupby("width").kappa.mean()
            over = f"over m = {means.index[0]:g} to {means.index[-1]:g}"
            parts.append(f"for {name} {finding.course(means.to_numpy())} {over}")
    return finding.sentences(parts)


def _traces(part: Any, scaling: str) -> list[Trace]:
    if part.empty:
        return []
    name, color, symbol = LOOKS[scaling]
    means = part.groupby("width").kappa.mean()
    m, kappa = means.index.to_numpy(dtype=float), means.to_numpy()
    shape = expected_kappa(m, scaling)
    height = float(np.exp(np.mean(np.log(kappa) - np.log(shape))))
    marks = {"color": color, "symbol": symbol, "size": 6, "opacity": 0.5}
    group: dict[str, Any] = {"legendgroup": scaling}
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": f"{name}, one network",
            "x": style.numbers(part.width.to_numpy(dtype=float)),
            "y": style.numbers(part.kappa.to_numpy()),
            "marker": marks,
            "hovertemplate": "m = %{x}: κ = %{y:.3g}<extra></extra>",
            **group,
        },
        style.line(m, kappa, f"{name}, mean", line={"color": color, "width": 2.5}, **group),
        style.line(
            m,
            height * shape,
            f"shape for {name}",
            line={"color": color, "width": 1.5, "dash": "dot"},
            **group,
        ),
    ]
