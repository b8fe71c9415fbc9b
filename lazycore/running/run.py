"""One run: a config in, snapshots or a result out."""

# pyright: reportUnnecessaryIsInstance=false
# Whoever calls from a notebook has no type checker: what is handed in is looked at.

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch

from lazycore.config import cost as budgets
from lazycore.config import forecast
from lazycore.config.run import RunConfig
from lazycore.config.spec import Values
from lazycore.dynamics import trajectory
from lazycore.engine.measures.recording import choose_scales, recorder
from lazycore.engine.problem.problem import build_problem
from lazycore.errors import ConfigError
from lazycore.machine.surroundings import apart, each_apart
from lazycore.machine.threads import check_threads
from lazycore.results.run import RunResult, Snapshot
from lazycore.running import refinement
from lazycore.running.progress import reported


def run(
    config: RunConfig,
    *,
    device: str | None = None,
    budget: budgets.Budget | None = budgets.DEFAULT,
    threads: int = 1,
    progress: bool | None = None,
) -> RunResult:
    """Return the finished run of `config`: both models, their distance and the verdict.

        w' = −∇F_α(w), F_α(w) = R(αh(w))/α², beside the same for h̄ = h(w0) + Dh(w0)(w − w0)

    (Chizat, Oyallon & Bach 2019, arXiv:1812.07956, §2.1), from the same w0 on the same data, by
    steps where `dynamics` has steps. Times are flow time; gaps are root mean squares over the
    points, in the units of the outputs; curves are arrays (T,) over T recorded times.

    Args:
        config: what to run; fields that are not given take their defaults.
        device: `cpu`, `cuda:0`, …; a GPU when there is one and None is given.
        budget: what the run may cost; None lifts the limit.
        threads: of the CPU. More are for large networks on a machine with nothing else to do:
            they spin while they wait for each other, and beside other work two made a run of
            1.65 s one of 72 s. They may add up in another order: equal to rounding.
        progress: whether its cost is said before it starts and a bar drawn while it runs, on
            standard error: always (True), never (False), or on a terminal and in a notebook.
    Raises `ConfigError` or `BudgetError` before anything is computed. A diverged run is a result.

    What the caller has set in torch (its number of threads, `autocast`, `no_grad`, a default
    device or dtype, fewer digits of float32) does not reach it, and is theirs again afterwards.

    >>> result = run(RunConfig(task="sine", dynamics="gd", steps=50, alpha=1000))
    >>> result.status, result.verdict
    ('done', 'lazy')
    """
    snapshots = _begun(config, device, budget, threads)
    about = forecast.seconds(config)
    return RunResult.collect(config, reported(snapshots, progress=progress, about=about))


def train(
    config: RunConfig,
    *,
    device: str | None = None,
    budget: budgets.Budget | None = budgets.DEFAULT,
    threads: int = 1,
    refine: bool = False,
) -> Iterator[Snapshot]:
    """Yield a snapshot of both models at 0 and about 200 times up to the end of the run.

    config, device, budget, threads: as for `run`.

    With `refine` a gradient flow is answered twice (`lazycore.running.refinement`): first in full
    length at a tolerance of 0.1, within tenths of a second for small networks, with 50 times and
    its own, larger `numerical_error`; then from 0 again, to the bit as without. Snapshots of the
    first answer say so (`snapshot.first`), and `RunResult.collect` takes the better one that is
    whole.

    Whoever iterates owns progress (`lazycore.running.progress.reported`), cancelling and storing:
    stopping early leaves a partial run, which `RunResult.collect` folds like a whole one. What
    they have set in torch is theirs at each snapshot, and not the run's in between (`run`).
    """
    yield from _begun(config, device, budget, threads, refine)


def _begun(
    config: RunConfig,
    device: str | None,
    budget: budgets.Budget | None,
    threads: int,
    refine: bool = False,
) -> Iterator[Snapshot]:
    """Return the snapshots of a run of which all that can be refused has been looked at."""
    if not isinstance(config, RunConfig):
        raise ConfigError(f"config is a {type(config).__name__}: give a RunConfig.")
    cost = budgets.check(config, budget) if budget else None
    limit = budget.evaluations_of(cost) if budget and cost else None
    values = config.resolve().to_dict()
    where = choose_device(device)
    surroundings = partial(apart, where, check_threads(threads))
    with surroundings():
        problem = build_problem(values, where)

    def snapshots() -> Iterator[Snapshot]:
        scales = choose_scales(problem, values)

        def answer(fields: Values, record: np.ndarray | None = None) -> Iterator[Snapshot]:
            moments = trajectory(problem, {**fields, **scales}, record, limit)
            return recorder(problem, fields, scales, str(where)).snapshots(moments)

        first = refinement.first_answer(values) if refine else None
        if first is None:
            yield from answer(values)
            return
        stops = values.get("stop") == "margins"
        times = None if stops else refinement.first_times(scales["time"])
        yield from refinement.as_first(answer(first, times))
        yield from refinement.as_second(answer(values))

    return each_apart(snapshots(), surroundings)


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
