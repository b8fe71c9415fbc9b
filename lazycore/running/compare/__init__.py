"""Any torch module next to its own linearisation."""

# pyright: reportUnnecessaryIsInstance=false
# Whoever calls from a notebook has no type checker: what is handed in is looked at.

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lazycore.config import cost as budgets
from lazycore.config.fields import ALPHA, ZERO_OUTPUT
from lazycore.config.moments import Moment
from lazycore.dynamics import trajectory
from lazycore.engine.measures.recording import choose_scales, recorder
from lazycore.engine.networks.network import Network
from lazycore.engine.networks.row_network import RowNetwork
from lazycore.engine.networks.symmetrized import Symmetrized
from lazycore.engine.problem.problem import Points, Problem
from lazycore.errors import ConfigError
from lazycore.losses import Loss, chosen
from lazycore.results.run import RunResult
from lazycore.running.compare.borrowed import borrowed
from lazycore.running.compare.cost import check, estimated
from lazycore.running.compare.foreign import Foreign
from lazycore.running.compare.optimized import Batches, Rule, optimized
from lazycore.running.compare.options import batch_points, choices, is_iterated, options, recorded
from lazycore.running.compare.targets import targets
from lazycore.running.progress import is_shown, reported

TRAINED = 0.2
"""Share of the loss without its outputs below which a module has learned something already."""


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
    momentum: float | None = None,
    weight_decay: float | None = None,
    batch_size: int | None = None,
    batch_seed: int | None = None,
    time: float | None = None,
    tolerance: float | None = None,
    record: Sequence[float] | None = None,
    kernels: bool = False,
    budget: budgets.Budget | None = budgets.DEFAULT,
    progress: bool | None = None,
) -> RunResult:
    r"""Return how `module` and its linearisation train on the same data, and how far apart.

        F_α(w) = R(α h(w))/α²,    h̄(w) = h(w0) + Dh(w0)(w − w0)

    (Chizat, Oyallon & Bach 2019, arXiv:1812.07956, §2.1.) w0 are the module's weights. A copy of
    it is trained: it is left as it was, whatever happens. Its device is used, and its dtype where
    that is float32 or float64; float64 is wise at large α. What the caller has set in torch
    (autocast, no_grad, threads, random numbers) does not reach it.

    Args:
        module: x → (n,), (n, k) or (n, …, k); a deterministic function of its weights (call
            `eval()` where it has dropout). Outputs may depend on all points at once.
        x, y: n points. A tensor, or a dict (given by keywords) or tuple of tensors. Targets are
            real for `square`, ±1 for `logistic`, and class indices or one-hot rows for
            `cross_entropy`; of outputs (n, …, k) every position is classified.
        x_test, y_test: further points that are measured only.
        alpha: α > 0, the scale of the outputs; no unit. loss: the name of one, as `square`.
        zero_output: `centered`, `none`, or `symmetrized` (two copies of the module).
        dynamics: `gd` (reads steps, step_size, momentum, weight_decay), `sgd` (these, batch_size,
            batch_seed), `adam` (these but momentum), or `flow` (time, tolerance). Both models
            take the same batches, each with an optimiser of its own.
        steps, tolerance: 1000 and 10⁻³ when None.
        step_size, time: None chooses from the largest eigenvalue of the tangent kernel; 10⁻³ for
            adam.
        weight_decay: λ of (λ/2)‖w‖² added to F_α, as torch.optim adds it.
        batch_size: points; for sgd 32 when None, for adam all.
        record: steps, or times of a flow, at which to record; about 200 when None.
        kernels: whether to keep the tangent kernel before and after training, `kernel_before` and
            `kernel_after` in `latest`, on the points on which its change is measured.
        budget: what it may cost (`lazycore.config.cost.Budget`); None lifts the limit.
        progress: whether its cost is said before it starts and a bar drawn, on standard error:
            always (True), never (False), or on a terminal and in a notebook.
    Raises `ConfigError` for arguments that cannot be, `BudgetError` for too costly a run. What was
    done otherwise than one might think is warned of, and in `notes` of the result.
    Cost: per step about two gradients of the module (one is its twin's, for the error) and one
    product with its Jacobian.

    >>> import torch
    >>> net = torch.nn.Sequential(torch.nn.Linear(3, 50), torch.nn.Tanh(), torch.nn.Linear(50, 1))
    >>> points = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    >>> compare(net.double(), points.double(), points[:, 0].double(), alpha=1e3).verdict
    'lazy'
    """
    for known, value in ((ALPHA, alpha), (ZERO_OUTPUT, zero_output)):
        known.check(value)
    given = {"steps": steps, "step_size": step_size, "time": time, "tolerance": tolerance}
    given |= {"momentum": momentum, "weight_decay": weight_decay}
    values = options(dynamics, given | {"batch_size": batch_size, "batch_seed": batch_seed})
    if not (budget is None or isinstance(budget, budgets.Budget)):
        raise ConfigError(
            f"budget={budget!r} is not allowed: give a lazycore.config.cost.Budget or None."
        )
    if not isinstance(loss, str):
        raise ConfigError(f"loss={loss!r} is not allowed: give the name of a loss, as square.")
    is_shown(progress)  # a wrong one is the call's mistake
    asked = Asked((x, y), (x_test, y_test), float(alpha), chosen(loss, {}), zero_output)
    with borrowed(module, asked.sets, asked.loss) as found:
        problem, notes = asked.problem(found)
        for note in notes:
            warnings.warn(note, stacklevel=2)
        moments, scales = _moments(problem, found.network, values, record, budget)
        cost = estimated(problem, None if record is None else len([*record]))
        if budget:
            check(cost, values.get("steps"), len(problem.train), budget)
        measured = recorder(problem, values, scales, str(problem.w0.device))
        measured.constants |= {"notes": notes} if notes else {}
        measured.meter.keeps_kernels = kernels
        about = cost.seconds(values.get("steps"))
        snapshots = measured.snapshots(moments)
        shown = reported(snapshots, progress=progress, about=about, what="compare")
        return RunResult.collect(None, shown)


def _moments(
    problem: Problem,
    network: RowNetwork,
    values: dict[str, Any],
    record: Sequence[float] | None,
    budget: budgets.Budget | None,
) -> tuple[Iterator[Moment], dict[str, float]]:
    """Return the path of both models, and the step size or the time that was chosen for it."""
    dynamics = values["dynamics"]
    choice = choices()[dynamics]
    if choice.step_size is not None:
        scales = {"step_size": values["step_size"] or choice.step_size}
    else:
        scales = choose_scales(problem, values)
    end = scales["time"] if choice.by_time else values["steps"]
    marks = None if record is None else recorded(record, end, dynamics)
    if not is_iterated(values):
        limit = budget.evaluations if budget else None
        return trajectory(problem, values | scales, limit=limit, record=marks), scales
    points, rows = network.counts[0], network.positions[0]
    size = batch_points(values, points)
    if size is not None and network.together:
        raise ConfigError(
            f"batch_size={size} is not allowed: the module's outputs depend on other points too, "
            f"so that a part of them is another function; leave it out, or give {points}."
        )
    rule = Rule(choice.adam, values["momentum"], values["weight_decay"])
    batches = Batches(points, rows, size, values.get("batch_seed") or 0)
    steps, eta = values["steps"], scales["step_size"]
    moments = optimized(problem, rule, batches, steps=steps, step_size=eta, record=marks)
    return moments, scales


def fine_tune(module: nn.Module, x: Any, y: Tensor, **options: Any) -> RunResult:
    r"""Return whether fine-tuning a trained `module` to new targets is lazy.

        h(w) beside h̄(w) = h(w0) + Dh(w0)(w − w0), both from the module's own outputs h(w0)

    What `compare` says with α = 1 and zero_output="none": nothing is scaled, and what the module
    has learned stays. Lazy fine-tuning is a linear model on the module's tangent features, as
    Achille et al. (2021, arXiv:2012.13569) and Mu, Liang & Li (2020, arXiv:2006.13131) use it.

    Args:
        module, x, y: as for `compare`: outputs (n,) or (n, k), in the units of the targets.
        options: those of `compare` other than alpha and zero_output.
    Raises `ConfigError` for these two, and what `compare` raises.
    """
    for name in ("alpha", "zero_output"):
        if name in options:
            raise ConfigError(
                f"{name}={options[name]!r} is not for fine_tune, which keeps the module's outputs "
                "as they are: give it to compare."
            )
    return compare(module, x, y, alpha=1.0, zero_output="none", **options)


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
