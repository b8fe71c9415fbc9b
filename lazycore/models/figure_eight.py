"""h(w) = (sin w, ½ sin 2w) from w0 = 0: one weight, two outputs, a curve that crosses itself.

The picture behind Theorem 2.5 of Chizat, Oyallon & Bach (2019, arXiv:1812.07956): lazily
trained it goes to the local minimum that its tangent line shows, though the other branch
through the origin may pass much closer to the target.
"""

import numpy as np

from lazycore.config import spec
from lazycore.config.spec import Spec, Values
from lazycore.errors import ConfigError
from lazycore.models import _programs

CURVE_POINTS = 200_001


def _check(values: Values) -> None:
    _programs.no_inputs(values)
    count = spec.output_count(values)
    if count != 2:
        raise ConfigError(
            f"model=figure_eight has two outputs, not {count}: give task=plane_target, or "
            "target_size=2."
        )


def _curve() -> tuple[np.ndarray, np.ndarray]:
    """Return h at all weights, (n, 2), in order, and the direction of Dh(0), (2,)."""
    w = np.linspace(-np.pi, np.pi, CURVE_POINTS)
    return np.stack([np.sin(w), 0.5 * np.sin(2.0 * w)], axis=1), np.ones(2)


SPEC = Spec(
    name="figure_eight",
    meaning="one weight and a curve in the plane, h(w) = (sin w, ½ sin 2w)",
    check=_check,
    facts={
        "parameters": lambda values, d, k: 1,
        "operations": lambda values, d, k: 2,
        "reads_inputs": False,
        "linear_layers": lambda values: 0,
        "curve": _curve,
    },
)


def build(values: Values, d: int, k: int):
    """Return the curve; nothing is drawn at random."""
    from lazycore.engine.networks.programs import figure_eight

    return figure_eight()
