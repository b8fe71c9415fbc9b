"""What a stage learns of each eigenvector: K steps beside one Levenberg–Marquardt step."""

import numpy as np

from lazycore.figures import Panel, finding, style
from lazycore.figures.style import Figure, Trace
from lazycore.results.run import RunResult
from lazycore.theory.filters import damped_filters, descent_filters

SEEN = 1e-4
"""Values of ηKλ below it are left out: a stage learns nothing of them."""


def figure(result: RunResult, log: bool = True) -> Figure:
    """Return 1 − (1 − ηλ)^K and λ/(λ + μ/n), μ = n/(ηK), over ηKλ, with marks at the
    eigenvalues of the first stage recorded whole and of the last."""
    every, eta = _scale(result)
    horizon, spectra = eta * every, _spectra(result)
    most = max(float(values.max(initial=0.0)) for values in spectra.values()) * horizon
    reach = np.geomspace(SEEN, max(10.0, most), style.MOST_POINTS)
    data = [
        _curve(reach, _learned(descent_filters, reach / horizon, eta, every), "K steps", "solid"),
        _curve(
            reach,
            _learned(damped_filters, reach / horizon, eta, every),
            "Levenberg–Marquardt, μ = n/(ηK)",
            "5px,4px",
            style.VERMILLION,
        ),
        *(
            _marks(name, values, eta, every, symbol)
            for (name, values), symbol in zip(spectra.items(), ("circle-open", "x"), strict=False)
        ),
    ]
    beyond = int(sum((eta * values > 2.0).sum() for values in spectra.values()))
    said = f"K = {every:,}, η = {eta:.3g}; {beyond} of the marked eigenvalues diverge (ηλ > 2)"
    return style.figure(
        data,
        title="Spectral filter of a stage",
        subtitle=said,
        x=style.axis("ηKλ (no unit)", log),
        y=style.axis("learned (share of the error)", range=[-0.1, 1.5]),
        alt=finding.sentences(
            [
                *(
                    f"of the {len(values)} {name} a stage of K steps halves the error along "
                    f"{_halved(descent_filters, values, eta, every)}, one damped step along "
                    f"{_halved(damped_filters, values, eta, every)}"
                    for name, values in spectra.items()
                ),
                said,
            ]
        ),
        annotations=style.endings(result),
        hovermode="closest",
        height=420,
    )


def _scale(result: RunResult) -> tuple[int, float]:
    config = result.config or {}
    every = min(int(config["refresh_every"]), int(config["steps"]))
    return every, float(np.asarray(result.latest["refreshed.stage_step_size"])[0])


def _spectra(result: RunResult) -> dict[str, np.ndarray]:
    """Return eigenvalues by what they are called: of the first stage, and of the last."""
    spectra = np.asarray(result.latest["refreshed.spectrum"])
    steps = np.asarray(result.latest["refreshed.spectrum_step"])
    found = {"eigenvalues at the start": spectra[0]}
    if len(spectra) > 1:
        found[f"eigenvalues from step {float(steps[-1]):,.0f}"] = spectra[-1]
    return found


def _learned(form, values: np.ndarray, eta: float, every: int) -> np.ndarray:
    return values * form(values, eta, np.array([every]))[0]


def _halved(form, values: np.ndarray, eta: float, every: int) -> int:
    """Return of how many eigenvectors at most half of the error is left after a stage."""
    return int((np.abs(1.0 - _learned(form, values, eta, every)) <= 0.5).sum())


def _curve(x, y, name: str, dash: str, color: str = style.GREEN) -> Trace:
    return style.line(x, y, name, line={"color": color, "dash": dash, "width": 2.5})


def _marks(name: str, values: np.ndarray, eta: float, every: int, symbol: str) -> Trace:
    seen = values[eta * every * values > SEEN]
    seen = seen[style.thinned(len(seen), 150)]
    look = {"symbol": symbol, "size": 8, "color": style.BLUE if symbol == "x" else style.GREY}
    trace = style.line(eta * every * seen, _learned(descent_filters, seen, eta, every), name)
    return trace | {"mode": "markers", "marker": look}


def _shows(result: RunResult) -> bool:
    config = result.config or {}
    return (
        bool(config.get("refresh_every"))
        and np.size(result.latest.get("refreshed.spectrum", ())) > 0
    )


PANEL = Panel(
    name="stage_filters",
    order=38,
    question="Which eigenvectors does a stage learn, and which does it leave?",
    shows=_shows,
    draw=figure,
)
