"""One run: a config in, snapshots or a result out."""

from collections.abc import Iterator

import torch

from lazycore import budget as budgets
from lazycore.config import RunConfig
from lazycore.dynamics import trajectory
from lazycore.errors import ConfigError
from lazycore.measures.recording import choose_scales, recorder
from lazycore.problem import build_problem
from lazycore.results import RunResult, Snapshot


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

    On the CPU it works on as many threads as torch has. `torch.set_num_threads(1)`, as the command
    line and sweeps have it, is as fast for small networks, and beside other work up to forty
    times faster: threads of torch spin while they wait for one another.

    >>> result = run(RunConfig(task="sine", dynamics="gd", steps=50, alpha=1000))
    >>> result.status, result.verdict
    ('done', 'lazy')
    """
    with torch.inference_mode(False), torch.enable_grad():
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
    if not isinstance(config, RunConfig):
        raise ConfigError(f"config is a {type(config).__name__}: give a RunConfig.")
    if torch.is_inference_mode_enabled() or not torch.is_grad_enabled():
        raise ConfigError("gradients are switched off: iterate outside of torch.no_grad().")
    cost = budgets.check(config, budget) if budget else None
    values = config.resolve().to_dict()
    where = choose_device(device)
    problem = build_problem(values, where)
    scales = choose_scales(problem, values)
    limit = budget.evaluations_of(cost) if budget and cost else None
    moments = trajectory(problem, values | scales, limit=limit)
    yield from recorder(problem, values, scales, str(where)).snapshots(moments)


def choose_device(name: str | None) -> torch.device:
    """Return the device of that name, the first GPU when None is given, else the CPU."""
    if name is None:
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type not in ("cpu", "cuda") or (device.type == "cpu" and device.index):
            raise RuntimeError(f"nothing is computed on {name}")
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"device={name} is not available here: give cpu or leave it out."
        ) from error
    return device
