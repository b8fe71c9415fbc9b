"""Any torch module next to its own linearisation."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from lazycore import budget as budgets
from lazycore.comparison.foreign import Foreign, foreign
from lazycore.comparison.randomness import undisturbed
from lazycore.comparison.targets import targets
from lazycore.dynamics import trajectory
from lazycore.errors import BudgetError, ConfigError
from lazycore.fields import ALPHA, MOMENTUM, STEP_SIZE, STEPS, TIME, TOLERANCE, ZERO_OUTPUT
from lazycore.losses import Loss, chosen
from lazycore.measures.recording import choose_scales, recorder
from lazycore.networks.network import Network
from lazycore.networks.state import State
from lazycore.networks.symmetrized import Symmetrized
from lazycore.problem import Points, Problem
from lazycore.results import RunResult

TRAINED = 0.5
"""Share of the loss without its outputs below which a module has learned something already."""


@torch.inference_mode(False)
@torch.enable_grad()
def compare(
    module: nn.Module,
    x: Any,
    y: Tensor,
    *,
    x_test: Any = None,
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

    (Chizat, Oyallon & Bach 2019, arXiv:1812.07956, §2.1.) w0 are the module's weights. A copy of
    it is trained: it is left as it was, whatever happens. Its device is used, and its dtype where
    that is float32 or float64; float64 is wise at large α. Autocast is switched off.

    Args:
        module: x → (n,), (n, k) or (n, …, k); a deterministic function of its weights (call
            `eval()` where it has dropout). Outputs may depend on all points at once.
        x, y: n points. A tensor, or a dict (given by keywords) or tuple of tensors. Targets are
            real for `square`, ±1 for `logistic`, and class indices or one-hot rows for
            `cross_entropy`; of outputs (n, …, k) every position is classified.
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
    with undisturbed(), _plainly():
        asked = Asked((x, y), (x_test, y_test), float(alpha), objective, zero_output)
        with _borrowed(module, asked) as found:
            problem, notes = asked.problem(found)
            for note in notes:
                warnings.warn(note, stacklevel=2)
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
            measured.constants |= {"notes": [*notes]} if notes else {}
            return RunResult.collect(None, measured.snapshots(moments))


def fine_tune(module: nn.Module, x: Any, y: Tensor, **options: Any) -> RunResult:
    r"""Return whether fine-tuning a trained `module` to new targets is lazy.

        h(w) beside h̄(w) = h(w0) + Dh(w0)(w − w0), both from the module's own outputs h(w0)

    What `compare` says with α = 1 and zero_output="none": nothing is scaled, and what the module
    has learned stays. Lazy fine-tuning is a linear model on the module's tangent features, as
    Achille et al. (2021, arXiv:2012.13569) and Mu, Liang & Li (2020, arXiv:2006.13131) use it.

    options: those of `compare` other than alpha and zero_output.
    """
    for name in ("alpha", "zero_output"):
        if name in options:
            raise ConfigError(
                f"{name}={options[name]!r} is not for fine_tune, which keeps the module's outputs "
                "as they are: give it to compare."
            )
    return compare(module, x, y, alpha=1.0, zero_output="none", **options)


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


@dataclass(frozen=True, eq=False)
class Asked:
    """Data, scale and loss of a comparison: all but the module."""

    train: tuple[Any, Any]
    test: tuple[Any, Any]
    alpha: float
    loss: Loss
    zero_output: str

    @property
    def sets(self) -> dict[str, Any]:
        """The sets of points by the names of their arguments; training first."""
        if (self.test[0] is None) != (self.test[1] is None):
            raise ConfigError("x_test and y_test belong together: give both or neither.")
        return {"x": self.train[0]} | ({} if self.test[0] is None else {"x_test": self.test[0]})

    def problem(self, found: Foreign) -> tuple[Problem, list[str]]:
        """Return what is trained, and what is to be said of it."""
        network, w0 = found.network, found.network.held.weights()
        symmetrized = self.zero_output == "symmetrized"
        model: Network = Symmetrized(network) if symmetrized else network
        start = torch.cat([w0, w0]) if symmetrized else w0
        pairs = zip(("y", "y_test"), (self.train[1], self.test[1]), found.outputs, strict=False)
        read = [targets(name, y, outputs, self.loss) for name, y, outputs in pairs]
        centered = self.zero_output == "centered"

        def points(number: int) -> Points:
            rows, y = network.rows(number), read[number][0].to(w0.dtype)
            drawn = network.drawn_inputs(number)
            return Points(model, start, self.alpha, centered, rows, y, drawn=drawn)

        tested = points(1) if len(read) > 1 else None
        problem = Problem(points(0), tested, self.loss, read[0][1], found.epsilon)
        return problem, [*found.notes, *self._taken_away(problem, found)]

    def _taken_away(self, problem: Problem, found: Foreign) -> Iterator[str]:
        """Yield a sentence where the module fits its targets, and its outputs are taken away."""
        if self.zero_output == "none":
            return
        outputs = found.outputs[0].reshape(problem.targets.shape).to(problem.targets)
        own, none = problem.loss_at(outputs), problem.loss_at(torch.zeros_like(outputs))
        if own < TRAINED * none:
            yield (
                f"the module fits the targets already (loss {own:.3g}, {none:.3g} without its "
                f"outputs) and zero_output={self.zero_output} takes its outputs away: whether its "
                "fine-tuning is lazy is asked by lazycore.fine_tune."
            )


@contextmanager
def _borrowed(module: nn.Module, asked: Asked) -> Iterator[Foreign]:
    """Have the module as a network, and leave it as it was."""
    kept = State.of(module) if isinstance(module, nn.Module) else None
    found = None
    try:
        found = foreign(module, asked.sets, asked.loss)
        yield found
    finally:
        if found is not None:
            found.network.held.release()
        if kept is not None:
            kept.put_back()  # a hook, or a closure, may have reached it


@contextmanager
def _plainly() -> Iterator[None]:
    """Have all computed as it is written, whatever the caller's context says: no autocast to a
    coarser dtype, no cached parametrisation of other weights."""
    cached = parametrize._cache_enabled
    parametrize._cache_enabled = 0
    try:
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            yield
    finally:
        parametrize._cache_enabled = cached


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
