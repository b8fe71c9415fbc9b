"""The κ criterion: what decides at the start whether training will be lazy."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.papers.lazy_training.theorems import _hypotheses as check
from lazycore.papers.lazy_training.theorems._constants import Constants
from lazycore.papers.theorem import Hypothesis, Line, Rate, Theorem
from lazycore.results.quantities.kernel import KERNEL_CHANGE
from lazycore.results.run import RunResult
from lazycore.theory import bootstrap, lazy

if TYPE_CHECKING:
    import pandas as pd

SCALE = "the scale κ, not a bound"
SMALL, LARGE = 0.1, 1.0
"""Below the one κ ≪ 1 is taken to hold, above the other not to; between, it is open."""

STATEMENT = r"""
A gradient step of size $η$ lowers the loss by the share $η‖∇F‖^2/F$ and changes the differential
by at most the share $η‖∇F‖‖D^2h‖/‖Dh‖$. Training is lazy where the first is much the larger. For
the square loss that is

$$
κ_{αh}(w_0) = \frac1α ‖α h(w_0) - y^*‖\frac{‖D^2h(w_0)‖}{‖Dh(w_0)‖^2} ≪ 1,
$$

with operator norms. While $αh(w_0)$ stays bounded, $κ$ falls as $1/α$. For two-layer networks
$h = α(m) \sum_{j ≤ m} φ(θ_j)$ with independent $θ_j$ and $\mathbb{E} φ = 0$,

$$
\mathbb{E}\, κ ≲ m^{-1/2} + (m\,α(m))^{-1}:
$$

lazy as $m → ∞$ for $α(m) = 1/\sqrt m$, and not for $α(m) = 1/m$, the mean-field scaling.
"""

_NETWORK: dict[str, Any] = {
    "task": "teacher",
    "dim": 5,
    "n_train": 30,
    "n_test": 0,
    "activation": "tanh",
    "width": 256,
    "time": 20.0,
}

EXAMPLES = {
    "tanh network, 1/√m": RunConfig(**_NETWORK),
    "tanh network, 1/m": RunConfig(**_NETWORK, scaling="mean_field"),
    "quadratic model": RunConfig(task="vector", time=20.0),
    "figure eight: D²h(w₀) = 0": RunConfig(task="plane_target", time=20.0),
    "ReLU network: not smooth": RunConfig.from_dict(_NETWORK | {"activation": "relu"}),
}

SWEEP = SweepConfig.from_text(
    {
        "task": "teacher",
        "dim": "5",
        "n_train": "30",
        "n_test": "0",
        "activation": "tanh",
        "zero_output": "none",
        "dynamics": "gd",
        "steps": "1",
        "scaling": "ntk,mean_field",
        "width": "16,32,64,128,256,512,1024",
        "init_seed": "0:8",
    }
)
"""κ of eight networks of each width and scaling; κ is known at the start, one step is enough."""

OUTPUT_SCALES = {"ntk": -0.5, "mean_field": -1.0}
"""Exponents of α(m) as a power of m."""


def kappa_of(result: RunResult) -> float | None:
    """Return κ as the run recorded it, None where it has none."""
    value = result.latest.get("kappa")
    return float(value) if isinstance(value, (int, float)) else None


def hypotheses(result: RunResult) -> list[Hypothesis]:
    """Return what κ needs, and whether it is small."""
    known, kappa = Constants.of(result), kappa_of(result)
    text = "$κ ≪ 1$"
    if kappa is None:
        small = Hypothesis(text, None, "κ is defined for the square loss and smooth h")
    else:
        holds = True if kappa < SMALL else False if kappa > LARGE else None
        small = Hypothesis(text, holds, f"κ = {kappa:.3g} (true operator norms, from below)")
    return [check.square_loss(known), check.smooth(known), small]


def lines(result: RunResult, others: Mapping[str, RunResult]) -> list[Line]:
    """Return how far the kernel changes, and the gap as a share of the way, beside κ."""
    kappa = kappa_of(result)

    def guide(time: np.ndarray) -> np.ndarray | None:
        return None if kappa is None else np.full(len(time), kappa)

    way = result.series["linearized.output_change"]
    gap = result.series["gap.train_output"] / max(float(np.nanmax(way)), 1e-300)
    shown = [(KERNEL_CHANGE.title, result.kernel_time, KERNEL_CHANGE.values(result))]
    shown.append(("gap, as a share of the way", result.time, gap))
    return [Line(name, "no unit", t, y, guide(t), SCALE, "gap") for name, t, y in shown]


def rates(results: Sequence[RunResult]) -> list[Rate]:
    """Return the exponents in α of κ and of the largest kernel change."""
    alphas = [Constants.of(result).alpha for result in results]
    over = f"α = {min(alphas):g} … {max(alphas):g}, N = {len(alphas)}"
    zero = all((Constants.of(r).get("initial_output") or 0.0) <= check.ZERO for r in results)
    kappas = lazy.slope(alphas, [kappa_of(result) or float("nan") for result in results])
    changes = [float(np.nanmax(KERNEL_CHANGE.values(result))) for result in results]
    expected = -1.0 if zero else None
    return [
        Rate("power of α of κ", expected, *kappas, over=over),
        Rate("power of α of the kernel change", None, *lazy.slope(alphas, changes), over=over),
    ]


def expected_kappa(width: np.ndarray, scaling: str) -> np.ndarray:
    """Return m^(−1/2) + (m α(m))^(−1), what E κ is at most a constant times of."""
    m = np.asarray(width, dtype=float)
    return m**-0.5 + 1.0 / (m * m ** OUTPUT_SCALES[scaling])


def width_rates(frame: "pd.DataFrame") -> list[Rate]:
    """Return the exponents in m of κ for both scalings, intervals by resampling the networks.

    frame: that of `SWEEP`. Expected as m → ∞: −½ for 1/√m and 0 for 1/m.
    """
    found = []
    for scaling, expected in (("ntk", -0.5), ("mean_field", 0.0)):
        part = frame[frame.scaling == scaling].pivot(
            index="init_seed", columns="width", values="kappa"
        )
        fit = bootstrap.exponent(part.columns.to_numpy(dtype=float), list(part.to_numpy()))
        if fit is not None:
            name = {"ntk": "power of m of κ, 1/√m", "mean_field": "power of m of κ, 1/m"}[scaling]
            over = f"m = {part.columns.min()} … {part.columns.max()}, N = {fit.seeds}"
            found.append(Rate(name, expected, fit.value, fit.low, fit.high, over, at_most=True))
    return found


THEOREM = Theorem(
    name="κ criterion",
    title="The κ criterion: lazy from the start?",
    statement=STATEMENT,
    source="§1.2; the bound as in version 5",
    examples=EXAMPLES,
    hypotheses=hypotheses,
    lines=lines,
    rates=rates,
    alphas=(1.0, 10.0, 100.0, 1000.0),
    sweep=SWEEP,
    sweep_rates=width_rates,
    remark="Version 4 prints the exponent −½ for mα(m); −1 is right, and what is measured.",
    order=12,
)
