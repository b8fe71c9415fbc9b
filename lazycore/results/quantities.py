"""The numbers that a finished run comes to: what a sweep's table holds. numpy only.

*Final* is at the last recorded time, or at the end of a model that stops at its margins (of what
is of both: at the first such end), NaN where a model has diverged before; *largest* and
*smallest* are over all recorded times. A new quantity is one more entry here.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lazycore.results.run import MODELS, RunResult


@dataclass(frozen=True)
class Quantity:
    """A number of a run. meaning: as on an axis. log: best seen on a log axis. of: NaN if none."""

    name: str
    meaning: str
    unit: str
    log: bool
    of: Callable[[RunResult], float]


def measure(result: RunResult) -> dict[str, float]:
    """Return every quantity of this run by name, NaN where the run has none."""
    found = {name: quantity.of(result) for name, quantity in QUANTITIES.items()}
    return {name: value if math.isfinite(value) else math.nan for name, value in found.items()}


def _final(name: str) -> Callable[[RunResult], float]:
    owners = {name.split(".")[0]} & set(MODELS) or MODELS

    def of(result: RunResult) -> float:
        values = result.series.get(name)
        stops = (result.config or {}).get("stop") == "margins"
        diverged = any(result.latest.get(f"{model}.status") == "diverged" for model in owners)
        if stops and not diverged and values is not None:
            values = values[np.isfinite(values)]
        return _last(values)

    return of


def _largest(name: str) -> Callable[[RunResult], float]:
    return lambda result: _greatest(result.series.get(name))


def _smallest(name: str) -> Callable[[RunResult], float]:
    return lambda result: -_greatest(_negative(result.series.get(name)))


def _negative(values: np.ndarray | None) -> np.ndarray | None:
    return None if values is None else -values


def _once(name: str) -> Callable[[RunResult], float]:
    def of(result: RunResult) -> float:
        value = result.latest.get(name)
        return float(value) if isinstance(value, (int, float)) else math.nan

    return of


def _at_last(name: str) -> Callable[[RunResult], float]:
    return lambda result: _last(result.latest.get(name))


def _relative_gap(result: RunResult) -> float:
    change = _greatest(result.series.get("linearized.output_change"))
    return _greatest(result.series.get("gap.train_output")) / change if change > 0 else math.nan


def _scaled_half_time(result: RunResult) -> float:
    config = result.config or {}
    scale = (config.get("width") or math.nan) ** 0.5 * (config.get("alpha") or math.nan)
    return _once("nonlinear.half_time")(result) / scale


def _kernel_change(result: RunResult) -> float:
    return math.nan if _has_diverged(result) else _last(result.sparse.get("kernel_change"))


def _alignment_change(result: RunResult) -> float:
    alignment = result.sparse.get("alignment.nonlinear")
    if _has_diverged(result) or alignment is None or alignment.ndim != 1 or not alignment.size:
        return math.nan
    return float(alignment[-1] - alignment[0])


def _kernel_change_test(result: RunResult) -> float:
    return math.nan if _has_diverged(result) else _last(result.sparse.get("kernel_change_test"))


def _alignment_gain(result: RunResult) -> float:
    change, alignment = _alignment_change(result), result.sparse.get("alignment.nonlinear")
    if alignment is None or math.isnan(change) or not alignment[0] > 0.0:
        return math.nan
    return 1.0 + change / float(alignment[0])


def _sign_agreement(result: RunResult) -> float:
    # Of the last outputs of both: with stop=margins they do not end at one time.
    names = [f"{model}.test_outputs" for model in MODELS]
    diverged = "diverged" in [result.latest.get(f"{model}.status") for model in MODELS]
    if diverged or not {*names} <= {*result.latest} or "sign_agreement" not in result.series:
        return math.nan
    signs = [np.sign(result.latest[name]) for name in names]
    return float(np.mean(signs[0] == signs[1]))


def _has_diverged(result: RunResult) -> bool:
    return result.latest.get("nonlinear.status") == "diverged"


def _last(values: np.ndarray | None) -> float:
    return (
        float(values[-1]) if values is not None and values.ndim == 1 and values.size else math.nan
    )


def _greatest(values: np.ndarray | None) -> float:
    if values is None or values.ndim != 1:
        return math.nan
    return float(np.max(values[np.isfinite(values)], initial=-math.inf))


def _of_model(prefix: str, model: str, words: str) -> list[Quantity]:
    rows = [
        ("train_loss", "loss on the training points", True),
        ("test_loss", "loss on the test points", True),
        ("train_error", "share of misclassified training points", False),
        ("test_error", "share of misclassified test points", False),
        ("displacement", "distance ‖w − w₀‖ moved in parameter space", True),
    ]
    return [
        Quantity(f"{prefix}final_{key}", f"{words}: {meaning}", "", log, _final(f"{model}.{key}"))
        for key, meaning, log in rows
    ]


_ALL = [
    *_of_model("", "nonlinear", "network"),
    *_of_model("linearized_", "linearized", "linearized model"),
    Quantity(
        "best_test_loss",
        "network: smallest recorded loss on the test points",
        "",
        True,
        _smallest("nonlinear.test_loss"),
    ),
    Quantity(
        "linearized_best_test_loss",
        "linearised model: smallest recorded loss on the test points",
        "",
        True,
        _smallest("linearized.test_loss"),
    ),
    Quantity("largest_gap", "largest output gap", "", True, _largest("gap.train_output")),
    Quantity("final_gap", "output gap at the end", "", True, _final("gap.train_output")),
    Quantity(
        "final_test_gap", "output gap on the test points", "", True, _final("gap.test_output")
    ),
    Quantity("relative_gap", "largest gap / largest change of αh̄", "", True, _relative_gap),
    Quantity("final_parameter_gap", "parameter gap ‖w − w̄‖", "", True, _final("gap.parameter")),
    Quantity("kernel_change", "kernel change ‖Θ − Θ₀‖/‖Θ₀‖ at the end", "", True, _kernel_change),
    Quantity("alignment_change", "change of the kernel's alignment", "", False, _alignment_change),
    Quantity(
        "activation_stability",
        "share of hidden units that keep their sign",
        "",
        False,
        _final("activation_stability"),
    ),
    Quantity("kappa", "laziness κ at w₀", "", True, _once("kappa")),
    Quantity(
        "numerical_error", "error of the method in the gap", "", True, _once("numerical_error")
    ),
    Quantity("lambda_max", "largest eigenvalue of Θ₀/n", "", True, _once("lambda_max")),
    Quantity("parameters", "number of parameters", "", True, _once("parameters")),
    Quantity("horizon", "length of the run", "flow time", True, _once("horizon")),
    Quantity(
        "final_margin",
        "network: smallest margin y·f of a training point",
        "",
        False,
        _final("nonlinear.margin"),
    ),
    Quantity(
        "linearized_final_margin",
        "linearised model: smallest margin y·f of a training point",
        "",
        False,
        _final("linearized.margin"),
    ),
    Quantity(
        "sign_agreement",
        "share of test points on which both models agree",
        "",
        False,
        _sign_agreement,
    ),
    Quantity(
        "kernel_change_test",
        "kernel change on the test points at the end",
        "",
        True,
        _kernel_change_test,
    ),
    Quantity(
        "alignment_gain",
        "alignment of the kernel at the end over that at the start",
        "",
        True,
        _alignment_gain,
    ),
]
_ALL += [
    Quantity(f"{prefix}{key}", f"{words}: {meaning}", "flow time", True, _once(f"{model}.{key}"))
    for prefix, model, words in (
        ("", "nonlinear", "network"),
        ("linearized_", "linearized", "linearised model"),
    )
    for key, meaning in (
        ("stop_time", "time at which all margins are met"),
        ("half_time", "time at which the loss is half of the initial one"),
    )
]
_ALL += [
    Quantity("scaled_half_time", "half_time / (√m·α)", "flow time", True, _scaled_half_time),
    *_of_model("refreshed_", "refreshed", "iterative linearisation"),
    Quantity(
        "refreshed_final_gap",
        "iterative linearisation: output distance to the network",
        "",
        True,
        _final("refreshed.gap"),
    ),
    Quantity("updates", "feature updates", "", True, _once("refreshed.updates")),
    Quantity(
        "refreshed_kernel_distance",
        "kernel distance of the last stage",
        "",
        True,
        _at_last("refreshed.kernel_distance"),
    ),
    Quantity(
        "refreshed_stability",
        "largest ηλ_max of a stage",
        "",
        True,
        lambda result: _greatest(result.latest.get("refreshed.stability")),
    ),
]

QUANTITIES = {quantity.name: quantity for quantity in _ALL}
"""Every quantity by name, in the order of a table's columns."""
