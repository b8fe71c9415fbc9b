"""How fast the distance to the linearisation falls as α grows: Theorem 2.2 as a straight line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lazycore.config.spec import bounded_slope
from lazycore.figures import finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.run import RunResult
from lazycore.theory import lazy as theory

FEWEST = 3
"""Runs that a fitted exponent needs."""


@dataclass(frozen=True)
class Quantity:
    """A distance whose power of α the theorem gives; `predicted` is a function of the config."""

    series: str
    name: str
    color: str
    symbol: str
    predicted: Callable[[dict], float | None]


def _gap_exponent(config: dict) -> float | None:
    return theory.predicted_gap_slope(config["zero_output"], bounded_slope(config))


def reason(results: Sequence[RunResult]) -> str:
    """Return why the gap of these runs goes with α as it does, in a sentence."""
    config = results[0].config or {}
    return theory.gap_slope_reason(config["zero_output"], config["loss"], bounded_slope(config))


def _exponent_at_zero_output(exponent: float) -> Callable[[dict], float | None]:
    # Theorem 2.2 asks for h(w0) = 0.
    return lambda config: exponent if config.get("zero_output") != "none" else None


QUANTITIES = (
    Quantity("gap.train_output", "output gap", style.GREEN, "circle", _gap_exponent),
    Quantity(
        "nonlinear.displacement",
        "displacement ‖w − w₀‖",
        style.BLUE,
        "square",
        _exponent_at_zero_output(-1.0),
    ),
    Quantity(
        "gap.parameter",
        "weights apart ‖w − w̄‖",
        style.PURPLE,
        "diamond",
        _exponent_at_zero_output(-2.0),
    ),
)


@dataclass(frozen=True)
class Fit:
    """A measured power of α: the exponent, its 95 % interval, and the α it was fitted over."""

    exponent: float
    low: float
    high: float
    alphas: tuple[float, ...]
    predicted: float | None

    @property
    def measured(self) -> str:
        """Return the exponent and its interval."""
        return f"{_signed(self.exponent)} ({_signed(self.low)} to {_signed(self.high)})"

    @property
    def theorem(self) -> str:
        """Return the predicted exponent, a dash where no theorem gives one."""
        return "–" if self.predicted is None else f"{self.predicted:g}".replace("-", "−")


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def points(results: Sequence[RunResult], series: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return α, the largest value over time, and whether it is a finding, by increasing α.

    A gap below the error of the method is not one, nor is a value of a run that ended early.
    """
    rows = []
    for result in results:
        values = result.series.get(series, np.array([]))
        values = values[np.isfinite(values)]
        if result.config and values.size and values.max() > 0.0:
            measured = series != "gap.train_output" or values.max() > result.numerical_error
            found = measured and result.status == "done"
            rows.append((float(result.config["alpha"]), float(values.max()), found))
    rows.sort()
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return np.array(columns[0]), np.array(columns[1]), np.array(columns[2], dtype=bool)


def fit(results: Sequence[RunResult], quantity: Quantity) -> Fit | None:
    """Return the exponent fitted over the lazy runs, over all where fewer than three are lazy.

    The theorem is about α → ∞; runs on the rich side would bend the line.
    """
    lazy = [r for r in results if r.verdict == "lazy"]
    for group in (lazy, list(results)):
        alphas, values, found = points(group, quantity.series)
        if len(set(alphas[found])) >= FEWEST:
            config = dict(group[0].config or {})
            slope = theory.slope(alphas[found].tolist(), values[found].tolist())
            return Fit(*slope, tuple(alphas[found]), quantity.predicted(config))
    return None


def figure(results: Sequence[RunResult], quantities: Sequence[Quantity] = QUANTITIES) -> Figure:
    """Return the largest distance over time against α for runs that differ in α only.

    Marks are runs (hollow: below the numerical floor, or ended early), the line is the fit,
    the dotted line has the theorem's slope through the fit's middle.
    """
    data = []
    for quantity in quantities:
        data += _marks(results, quantity)
        fitted = fit(results, quantity)
        if fitted:
            data += _lines(results, quantity, fitted)
    return style.figure(
        data,
        title="Exponent of laziness",
        subtitle="largest distance over the run against α; dotted: the slope of Theorem 2.2",
        x=style.axis("output scale α (no unit)", True),
        y=style.axis("largest distance (target or weight units)", True),
        alt=_finding(results, quantities),
        height=430,
        hovermode="closest",
    )


def _finding(results: Sequence[RunResult], quantities: Sequence[Quantity]) -> str:
    """Return the fitted powers of α beside those of the theorem."""
    parts = [f"largest distances of {len(results)} runs against α"]
    for quantity in quantities:
        if fitted := fit(results, quantity):
            over = f"{min(fitted.alphas):g} to {max(fitted.alphas):g}"
            parts.append(
                f"the {quantity.name} goes as α to the power {fitted.measured} over α from {over}; "
                f"theorem: {fitted.theorem}"
            )
    return finding.sentences(parts)


def _marks(results: Sequence[RunResult], quantity: Quantity) -> list[Trace]:
    alphas, values, found = points(results, quantity.series)
    hollow = [quantity.symbol if ok else f"{quantity.symbol}-open" for ok in found]
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": quantity.name,
            "legendgroup": quantity.name,
            "x": style.numbers(alphas),
            "y": style.numbers(values),
            "marker": {"color": quantity.color, "symbol": hollow, "size": 10},
            "hovertemplate": "α = %{x:.4g}: %{y:.4g}",
        }
    ]


def _lines(results: Sequence[RunResult], quantity: Quantity, fitted: Fit) -> list[Trace]:
    alphas, values, found = points(results, quantity.series)
    kept = np.isin(alphas, fitted.alphas) & found
    ends = np.array([alphas[kept].min(), alphas[kept].max()])
    middle = np.log(alphas[kept]).mean(), np.log(values[kept]).mean()

    def through(slope: float) -> list[float]:
        return np.exp(middle[1] + slope * (np.log(ends) - middle[0])).tolist()

    common = {"type": "scatter", "mode": "lines", "x": ends.tolist(), "hoverinfo": "skip"}
    group = {"legendgroup": quantity.name}
    solid = {"color": quantity.color, "width": 2}
    name = f"fit: α<sup>{_signed(fitted.exponent)}</sup>"
    lines = [common | group | {"y": through(fitted.exponent), "name": name, "line": solid}]
    if fitted.predicted is not None:
        name = f"theorem: α<sup>{fitted.theorem}</sup>"
        # A little apart from the fit, which it would otherwise hide.
        y = [1.6 * v for v in through(fitted.predicted)]
        dots = {"color": quantity.color, "width": 2, "dash": "dot"}
        lines.append(common | group | {"y": y, "name": name, "line": dots})
    return lines
