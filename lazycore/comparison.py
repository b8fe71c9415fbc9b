"""Any torch module next to its own linearisation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lazycore import budget as budgets
from lazycore.dynamics import trajectory
from lazycore.errors import BudgetError, ConfigError
from lazycore.fields import ALPHA, MOMENTUM, STEP_SIZE, STEPS, TIME, TOLERANCE, ZERO_OUTPUT
from lazycore.losses import Loss, chosen
from lazycore.measures.recording import choose_scales, recorder
from lazycore.networks.module_network import ModuleNetwork
from lazycore.networks.network import Network
from lazycore.networks.symmetrized import Symmetrized
from lazycore.problem import Points, Problem
from lazycore.results import RunResult


@torch.inference_mode(False)
@torch.enable_grad()
def compare(
    module: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    x_test: Tensor | None = None,
    y_test: Tensor | None = None,
    alpha: float = 1.0,
    loss: str = "square",
    zero_output: str = "centered",
    dynamics: str = "gd",
    steps: int | None = None,
    step_size: float | None = None,
    time: float | None = None,
    tolerance: float | None = None,
    record: Sequence[float] | None = None,
    budget: budgets.Budget | None = budgets.DEFAULT,
) -> RunResult:
    r"""Return how `module` and its linearisation train on the same data, and how far apart.

        F_α(w) = R(α h(w))/α²,    h̄(w) = h(w0) + Dh(w0)(w − w0)

    (Chizat, Oyallon & Bach 2019, arXiv:1812.07956, §2.1.) w0 are the module's weights; they
    are left as they were. Its dtype and device are used; float64 is wise at large α.

    Args:
        module: x → (n,) or (n, k); deterministic (call `eval()` where it has dropout).
        x, y: n points. Targets are real for `square`, ±1 for `logistic`, and class indices
            or one-hot rows for `cross_entropy`.
        x_test, y_test: further points that are measured only.
        zero_output: `centered`, `none`, or `symmetrized` (two copies of the module).
        dynamics: `gd` (reads steps, step_size) or `flow` (reads time, tolerance).
        steps, tolerance: 1000 and 10⁻³ when None.
        step_size, time: None chooses from the largest eigenvalue of the tangent kernel.
        record: steps (gd) or times (flow) at which to record; about 200 when None.
    Raises `ConfigError` for arguments that cannot be, `BudgetError` for too costly a run.
    Cost: per step about one gradient of the module and one product with its Jacobian.

    >>> import torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(3, 50), torch.nn.Tanh(), torch.nn.Linear(50, 1))
    >>> points = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    >>> compare(net.double(), points.double(), points[:, 0].double(), alpha=1e3).verdict
    'lazy'
    """
    if dynamics not in ("gd", "flow"):
        raise ConfigError(f"dynamics={dynamics} is not allowed: give gd or flow.")
    for known, value in ((ALPHA, alpha), (ZERO_OUTPUT, zero_output)):
        known.check(value)
    given = {"steps": steps, "step_size": step_size, "time": time, "tolerance": tolerance}
    values: dict[str, Any] = _chosen(given, dynamics)
    values |= {"dynamics": dynamics, "momentum": MOMENTUM.default}
    objective = chosen(loss, {})
    network = _network(module)
    points = [_usable(part) for part in (x, y, x_test, y_test)]
    train, test = tuple(points[:2]), tuple(points[2:])
    problem = _problem(network, train, test, float(alpha), objective, zero_output)
    if budget and dynamics == "gd":
        _check_cost(problem, values["steps"], budget)
    scales = choose_scales(problem, values)
    end = scales["time"] if dynamics == "flow" else values["steps"]
    moments = trajectory(
        problem,
        values | scales,
        limit=budget.evaluations if budget else None,
        record=None if record is None else _recorded(record, end, dynamics),
    )
    measured = recorder(problem, values, scales, str(problem.w0.device))
    return RunResult.collect(None, measured.snapshots(moments))


def _usable(part: Any) -> Any:
    """Return a copy of a tensor that was made under `torch.inference_mode`, others as they are."""
    return part.clone() if isinstance(part, Tensor) and part.is_inference() else part


def _chosen(given: dict[str, float | None], dynamics: str) -> dict[str, Any]:
    """Return these numbers, checked, with their defaults; what the dynamics does not read is
    refused where it is given."""
    found: dict[str, Any] = {"steps": 1000, "step_size": None, "time": None, "tolerance": 1e-3}
    read = {"gd": (STEPS, STEP_SIZE), "flow": (TIME, TOLERANCE)}[dynamics]
    for name, value in given.items():
        if value is None:
            continue
        field = next((field for field in read if field.name == name), None)
        if field is None:
            said = f"{name}={value} is not read by dynamics={dynamics}"
            raise ConfigError(f"{said}, which reads {read[0].name} and {read[1].name}.")
        found[name] = field.check(value)
    return found


def _network(module: nn.Module) -> ModuleNetwork:
    if not isinstance(module, nn.Module):
        raise ConfigError(f"module is a {type(module).__name__}: give a torch.nn.Module.")
    network = ModuleNetwork(module)
    if not network.blocks:
        raise ConfigError(
            "the module has no parameters that require a gradient: there is nothing to train."
        )
    return network


def _problem(
    network: ModuleNetwork,
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor | None, Tensor | None],
    alpha: float,
    loss: Loss,
    zero_output: str,
) -> Problem:
    w0 = network.weights()
    x = _inputs("x", train[0], w0)
    outputs = _probe(network, w0, x)
    y, classes = _targets("y", train[1], outputs, loss)
    if (test[0] is None) != (test[1] is None):
        raise ConfigError("x_test and y_test belong together: give both or neither.")
    tested = None
    if test[0] is not None and test[1] is not None:
        x_test = _inputs("x_test", test[0], w0)
        tested = x_test, _targets("y_test", test[1], _probe(network, w0, x_test), loss)[0]
    symmetrized = zero_output == "symmetrized"
    model: Network = Symmetrized(network) if symmetrized else network
    start = torch.cat([w0, w0]) if symmetrized else w0

    def points(x: Tensor, y: Tensor) -> Points:
        return Points(model, start, alpha, zero_output == "centered", x, y)

    return Problem(points(x, y), points(*tested) if tested else None, loss, classes)


def _inputs(name: str, x: Any, w0: Tensor) -> Tensor:
    if not isinstance(x, Tensor) or x.ndim < 1 or len(x) == 0:
        raise ConfigError(f"{name} must be a tensor of at least one point.")
    x = x.detach().to(device=w0.device)
    if x.is_floating_point():
        x = x.to(w0.dtype)
        if not torch.isfinite(x).all():
            raise ConfigError(f"{name} holds NaN or ∞: every input must be a finite number.")
    return x


def _probe(network: ModuleNetwork, w0: Tensor, x: Tensor) -> Tensor:
    """Return the module's outputs, after checking that they are what can be trained."""
    try:
        with torch.no_grad():
            first, second = network(w0, x), network(w0, x)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"the module cannot take inputs of shape {tuple(x.shape)}: {reason}"
        ) from error
    if first.ndim != 2 or len(first) != len(x):
        raise ConfigError(
            f"the module returns shape {tuple(first.shape)} for {len(x)} points: "
            "its output must be (n,) or (n, k)."
        )
    if not torch.equal(first, second) and not torch.isnan(first).any():
        raise ConfigError(
            "the module gives other outputs for the same inputs: call module.eval() first "
            "(dropout or other randomness has no gradient flow)."
        )
    return first


def _targets(name: str, y: Any, outputs: Tensor, loss: Loss) -> tuple[Tensor, int]:
    """Return targets shaped as the outputs, and the number of classes (0: real)."""
    n, k = outputs.shape
    if not isinstance(y, Tensor):
        raise ConfigError(f"{name} is a {type(y).__name__}: give a tensor of {n} targets.")
    if y.ndim < 1 or len(y) != n:
        length = len(y) if y.ndim else "no"
        raise ConfigError(f"{name} has {length} targets for {n} points: they must be as many.")
    y = y.detach().to(outputs.device)
    facts = loss.SPEC.facts
    if facts["labels"] == "binary":
        if k != 1 or y.numel() != n or not bool(((y == 1) | (y == -1)).all()):
            raise ConfigError(
                f"loss={loss.SPEC.name} takes one output and labels ±1: "
                f"{name} or the module's {k} outputs do not fit."
            )
        return y.reshape(n, 1).to(outputs.dtype), 2
    if facts["classifies"]:
        indices = y if y.ndim == 1 else y.argmax(-1)
        rows = y.shape == (n, k) and bool((((y == 0) | (y == 1)).all(-1) & (y.sum(-1) == 1)).all())
        whole = bool((indices == indices.long()).all()) and (y.ndim == 1 or rows)
        if k < 2 or not whole or not 0 <= int(indices.min()) <= int(indices.max()) < k:
            raise ConfigError(
                f"loss={loss.SPEC.name} takes at least two outputs and class indices from 0 to "
                f"outputs − 1: {name} or the module's {k} outputs do not fit."
            )
        return torch.eye(k, dtype=outputs.dtype, device=y.device)[indices.long()], k
    y = y.to(outputs.dtype)
    if y.numel() != n * k or not torch.isfinite(y).all():
        raise ConfigError(
            f"{name} has shape {tuple(y.shape)} and must hold finite numbers of the outputs' "
            f"shape {(n, k)}."
        )
    return y.reshape(n, k), 0


def _recorded(record: Sequence[float], end: float, dynamics: str) -> np.ndarray:
    """Return the wanted steps or times, in order, with the start and the end."""
    try:
        wanted = np.asarray(list(record), dtype=float)
    except (TypeError, ValueError):
        wanted = np.zeros((1, 1))
    if wanted.ndim != 1:
        raise ConfigError(f"record={record!r} is not allowed: give a list of numbers.")
    if wanted.size and not (
        np.isfinite(wanted).all() and wanted.min() >= 0 and wanted.max() <= end
    ):
        raise ConfigError(f"record must hold numbers from 0 to the end of the run, {end:g}.")
    if dynamics == "gd" and not (wanted == np.rint(wanted)).all():
        raise ConfigError("record must hold whole step numbers for dynamics=gd.")
    marks = np.unique(np.concatenate([[0.0], wanted, [float(end)]]))
    return marks.astype(np.int64) if dynamics == "gd" else marks


def _check_cost(problem: Problem, steps: int, budget: budgets.Budget) -> None:
    work = 6.0 * len(problem.train) * problem.w0.numel()
    seconds = steps * (budgets.SECONDS_PER_CALL + work / budgets.FLOPS_PER_SECOND)
    if seconds > budget.seconds:
        raise BudgetError(
            f"steps={steps:,} would take about {budgets.duration(seconds)}, the limit is "
            f"{budgets.duration(budget.seconds)}: give at most "
            f"{int(steps * budget.seconds / seconds):,} or budget=None."
        )
