"""What a figure shows, in a sentence with its numbers: for those who cannot see it."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from lazycore.figures import style
from lazycore.results.run import RunResult


def said(value: float) -> str:
    """Return a number of three digits, a dash where it is none."""
    return f"{value + 0.0:.3g}".replace("-", "−") if np.isfinite(value) else "–"


def finite(values: Any) -> np.ndarray:
    """Return the finite numbers among these, in order."""
    values = np.asarray(values, dtype=float).ravel()
    return values[np.isfinite(values)]


def course(values: Any, form: str = "") -> str:
    """Return "from … to …", the first and the last number; "" where there is none."""
    kept = finite(values)
    if not kept.size:
        return ""
    first, last = (f"{v:{form}}" if form else said(v) for v in (kept[0], kept[-1]))
    return f"from {first} to {last}"


def largest(values: Any) -> float:
    """Return the largest finite number, NaN where there is none."""
    kept = finite(values)
    return float(kept.max()) if kept.size else float("nan")


def of_models(result: RunResult, part: str, quantity: str, form: str = "") -> str:
    """Return how a quantity went in each model: "network from … to …, linearisation …"."""
    went = [
        (look["name"], course(result.series[name], form))
        for model, look in style.LOOKS.items()
        if style.has(result, name := f"{model}.{part}_{quantity}")
    ]
    return ", ".join(f"{name} {how}" for name, how in went)


def sentences(parts: Iterable[str]) -> str:
    """Return those of the parts that say something, each as a sentence."""
    return " ".join(f"{_begun(part)}." for part in parts if part)


def _begun(part: str) -> str:
    """Return the part with a capital; a symbol stays as it is, for α is not Α nor h = 3 H = 3."""
    is_word = part[:1].isascii() and part[1:3] != " ="
    return part[:1].upper() + part[1:] if is_word else part


def until(result: RunResult) -> str:
    """Return how long the run is that is shown."""
    return f"to flow time {result.time[-1]:.4g}" if len(result.time) else "not begun"


def both_parts(result: RunResult, quantity: str, form: str = "") -> list[str]:
    """Return how a quantity went on training and on test points, for each model."""
    parts = {part: of_models(result, part, quantity, form) for part in ("train", "test")}
    names = {"train": "training points", "test": "test points"}
    return [f"on {names[part]}: {how}" for part, how in parts.items() if how]
