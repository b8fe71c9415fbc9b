"""One run: a config in, snapshots or a result out."""

from collections.abc import Iterator
from typing import Any

import torch

from lazycore import budget as budgets
from lazycore import spec
from lazycore.config import RunConfig
from lazycore.errors import ConfigError
from lazycore.hypotheses import GapBound, gap_bound
from lazycore.kappa import kappa
from lazycore.metrics import Meter
from lazycore.moments import Moment
from lazycore.problem import Problem, build_problem, default_step_size, default_time, rounding
from lazycore.results import RunResult, Snapshot

SPARSE_EVERY, RARELY = 5, 50
"""The kernel is measured at every fifth recorded time (every fiftieth where it is dear), and
at the first and the last."""


def run(
    config: RunConfig,
    *,
    device: str | None = None,
    budget: budgets.Budget | None = budgets.DEFAULT,
) -> RunResult:
    """Return the finished run of `config`: both models, their distance and the verdict.

    Args:
        config: what to run; fields that are not given take their defaults.
        device: `cpu`, `cuda:0`, …; a GPU when there is one and None is given.
        budget: what the run may cost; None lifts the limit.
    Raises `BudgetError` before anything is computed. A diverged run is a result.

    >>> result = run(RunConfig(task="sine", dynamics="gd", steps=50, alpha=1000))
    >>> result.status, result.verdict
    ('done', 'lazy')
    """
    return RunResult.collect(config, train(config, device=device, budget=budget))


def train(
    config: RunConfig,
    *,
    device: str | None = None,
    budget: budgets.Budget | None = budgets.DEFAULT,
) -> Iterator[Snapshot]:
    """Yield a snapshot of both models at 0 and about 200 times up to the end of the run.

    Whoever iterates owns progress, cancelling and storing: stopping early leaves a partial
    run, which `RunResult.collect` folds like a whole one.
    """
    cost = budgets.check(config, budget) if budget else None
    values = config.resolve().to_dict()
    where = choose_device(device)
    problem = build_problem(values, where)
    scales = choose_scales(problem, values)
    limit = budget.evaluations_of(cost) if budget and cost else None
    moments = spec.find("dynamics", values["dynamics"]).trajectory(
        problem, values | scales, limit=limit
    )
    constants: dict[str, Any] = {"device": str(where)}
    constants |= {"horizon" if name == "time" else name: scale for name, scale in scales.items()}
    yield from snapshots(problem, moments, gap_bound(problem, values["dynamics"]), constants)


def snapshots(
    problem: Problem, moments: Iterator[Moment], bound: GapBound, constants: dict[str, Any]
) -> Iterator[Snapshot]:
    """Yield what is measured of these moments; ends early once both models have ended."""
    meter = Meter(problem)
    change = 0.0
    every = SPARSE_EVERY if problem.network.structured else RARELY
    constants = constants | meter.constants() | {"kappa": kappa(problem)}
    for number, moment in enumerate(moments):
        finished = moment.progress >= 1.0
        series = meter.series(moment) | bound.series(moment.time)
        change = max(change, *(series.get(f"{m}.output_change", 0.0) for m in _MODELS))
        sparse = number % every == 0 or finished
        latest = {
            "numerical_error": moment.error + rounding(problem, moment.steps, change),
            "status": _status(meter.ended, finished),
        }
        latest |= {f"{model}.status": _model_status(meter, model) for model in _MODELS}
        if number == 0:
            latest |= constants | bound.said
        if sparse:
            latest |= meter.function(moment)
        yield Snapshot(
            time=moment.time,
            progress=moment.progress,
            series=series,
            sparse=meter.sparse(moment) if sparse else {},
            latest=latest,
        )
        if meter.ended == set(_MODELS):
            return


def choose_scales(problem: Problem, values: dict[str, Any]) -> dict[str, float]:
    """Return the step size or the length of the run: as given, else from the tangent kernel."""
    reads = {field.name for field in spec.find("dynamics", values["dynamics"]).SPEC.reads}
    defaults = {"step_size": default_step_size, "time": default_time}
    return {
        name: values[name] or default(problem)
        for name, default in defaults.items()
        if name in reads
    }


_MODELS = ("nonlinear", "linearized")


def _model_status(meter: Meter, model: str) -> str:
    return "diverged" if model in meter.ended else "done"


def _status(ended: set[str], finished: bool) -> str:
    """Return how the run stands: until its last moment it has ended on its budget."""
    return "diverged" if ended else "done" if finished else "budget"


def choose_device(name: str | None) -> torch.device:
    """Return the device of that name, the first GPU when None is given, else the CPU."""
    if name is None:
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"device={name} is not available here: give cpu or leave it out."
        ) from error
    return device
