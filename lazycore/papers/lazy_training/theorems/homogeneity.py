"""Homogeneity: the initial scale and α are one dial."""

from collections.abc import Callable, Mapping
from typing import Any

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.papers.lazy_training.theorems._constants import Constants
from lazycore.papers.theorem import Hypothesis, Line, Theorem
from lazycore.results.run import RunResult

SAME = "the other run, not a bound"
TWIN = "by the initial scale"

STATEMENT = r"""
Let $h$ be $q$-homogeneous in the weights: $h(λw) = λ^q h(w)$ for $λ > 0$ (a network of $q$ linear
layers without biases, with ReLU or no activation). Then

$$
κ_h(λ w_0) = \frac{1}{λ^q} ‖λ^q h(w_0) - y^*‖\frac{‖D^2h(w_0)‖}{‖Dh(w_0)‖^2}:
$$

multiplying the *initial weights* by $λ$ is the same as multiplying the *output* by $α = λ^q$.
It is an identity: gradient descent on $F_α$ from $w_0$ with step $η$, and on $R ∘ h$ from $λw_0$
with step $η λ^{2 - 2q}$, give $W_k = λ w_k$ for every $k$.
"""

_PROBLEM: dict[str, Any] = {
    "task": "teacher",
    "dim": 5,
    "n_train": 20,
    "n_test": 20,
    "width": 30,
    "zero_output": "none",
    "alpha": 9.0,
}

EXAMPLES = {
    "two-layer ReLU, q = 2": RunConfig(**_PROBLEM, dynamics="gd", steps=2000, step_size=0.2),
    "three-layer linear, q = 3": RunConfig.from_dict(
        _PROBLEM
        | {
            "alpha": 8.0,
            "model": "fully_connected",
            "depth": 2,
            "activation": "linear",
            "dynamics": "gd",
            "steps": 2000,
            "step_size": 0.05,
        }
    ),
    "gradient flow": RunConfig(**_PROBLEM, time=200.0),
    "tanh: not homogeneous": RunConfig(
        **_PROBLEM, activation="tanh", dynamics="gd", steps=2000, step_size=0.2
    ),
}


def degree(result: RunResult) -> int | None:
    """Return q, the number of linear layers; None for models that say of none."""
    config = result.config or {}
    layers = _layers(config)
    return layers(config) or None if layers else None


def _layers(config: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], int] | None:
    """Return what the model says of its linear layers, None where it says nothing."""
    return spec.facts_of("model", config.get("model")).get("linear_layers")


def hypotheses(result: RunResult) -> list[Hypothesis]:
    """Return whether h is homogeneous, and how large the scale is."""
    config, q = result.config or {}, degree(result)
    name, model = config.get("activation"), config.get("model")
    homogeneous = bool(spec.facts_of("activation", name).get("homogeneous"))
    said = f"q = {q}" if _layers(config) else f"model = {model} does not say"
    return [
        Hypothesis(
            "$h$ is a network of $q$ linear layers",
            q is not None if _layers(config) else None,
            said,
        ),
        Hypothesis("its activation is homogeneous", homogeneous, str(name or model)),
        Hypothesis(
            "it has no biases", config.get("bias") in (None, "none"), f"bias = {config.get('bias')}"
        ),
    ]


def companions(result: RunResult) -> dict[str, RunConfig]:
    """Return the run that has the initial scale for α: λ = α^(1/q), α = 1, other step and time."""
    config, q = dict(result.config or {}), degree(result)
    if q is None:
        return {}
    alpha = float(config["alpha"])
    scale = alpha ** (1.0 / q)
    slower = scale ** (2 - 2 * q)
    config |= {"alpha": 1.0, "init_scale": config["init_scale"] * scale}
    for field, name in (("step_size", "step_size"), ("time", "horizon")):
        # A free step or length was chosen from the kernel: here it has to be said.
        if result.latest.get(name) is not None:
            config[field] = float(result.latest[name]) * slower
    return {TWIN: RunConfig.from_dict(config)}


def lines(result: RunResult, others: Mapping[str, RunResult]) -> list[Line]:
    """Return loss and displacement of this run beside those of its twin, brought to its scale."""
    twin, q = others.get(TWIN), degree(result) or 1
    scale = Constants.of(result).alpha ** (1.0 / q)
    shown = [
        ("loss R(αh)", "loss units", "nonlinear.train_loss", 1.0),
        ("λ ‖w − w₀‖", "weight units", "nonlinear.displacement", scale),
    ]
    return [
        Line(
            name,
            unit,
            result.time,
            factor * result.series[key],
            twin.series[key] if twin and len(twin.time) == len(result.time) else None,
            SAME,
        )
        for name, unit, key, factor in shown
    ]


THEOREM = Theorem(
    name="Homogeneity",
    title="Homogeneity: initial scale and α are one dial",
    statement=STATEMENT,
    source="§1.2; the identity for exact steps is derived here",
    examples=EXAMPLES,
    hypotheses=hypotheses,
    lines=lines,
    companions=companions,
    remark="With pairs or a centred output the same holds: those change h, not its degree.",
    order=13,
)
