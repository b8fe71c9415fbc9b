"""Many runs: a sweep's cells in, their results out as they come."""

# pyright: reportUnnecessaryIsInstance=false
# Whoever calls from a notebook has no type checker: what is handed in is looked at.

from collections.abc import Iterator, Sequence
from typing import TypedDict

from lazycore.config import cost as budgets
from lazycore.config import forecast
from lazycore.config.sweep import Cell, SweepConfig
from lazycore.errors import ConfigError, LazyLabError
from lazycore.machine.threads import check_threads, cores
from lazycore.results.run import RunResult
from lazycore.results.store import ResultStore
from lazycore.results.sweep import SweepResult
from lazycore.running.lanes import ON_CPU, processes, run_lanes
from lazycore.running.progress import counted
from lazycore.running.run import choose_device

Outcome = RunResult | LazyLabError
"""What a cell came to: a run, or the sentence that says why there is none."""


class SweepCost(TypedDict):
    """What `lazycore.running.progress.counted` says of a sweep before it starts: how many cells
    the store has, the seconds of the others on one core, and on how many cores they are
    computed."""

    kept: int
    about: float
    cores: int


def sweep(
    config: SweepConfig,
    *,
    device: str | None = None,
    budget: budgets.Budget | None = budgets.DEFAULT,
    store: ResultStore | None = None,
    threads: int | None = None,
    progress: bool | None = None,
) -> SweepResult:
    """Return the table of `config`: what each of its cells came to.

    Args:
        config: a run and the values that some of its fields take.
        device: `cpu`, `cuda:0`, …; a GPU when there is one and None is given.
        budget: what each run may cost; None lifts the limit, that on the whole sweep too.
        store: where results are looked for and kept; None keeps nothing but the table.
        threads: of the CPU; one for each core that this process may use when None is given.
        progress: whether its cost is said before it starts and a bar drawn while it runs, on
            standard error: always (True), never (False), or on a terminal and in a notebook.
    Raises `ConfigError` or `BudgetError` before anything is computed. A cell that fails is a row
    that says so.

    >>> config = SweepConfig.from_text(
    ...     {"task": "sine", "dynamics": "gd", "steps": "50", "alpha": "0.1:1000:3"}
    ... )
    >>> sweep(config).frame[["alpha", "status", "verdict"]].values.tolist()
    [[0.1, 'done', 'crossover'], [10.0, 'done', 'lazy'], [1000.0, 'done', 'lazy']]
    """
    if not isinstance(config, SweepConfig):
        raise ConfigError(f"config is a {type(config).__name__}: give a SweepConfig.")
    if not (store is None or isinstance(store, ResultStore)):
        raise ConfigError(f"store is a {type(store).__name__}: give one of open_store(folder).")
    if budget:
        budgets.check_sweep(config, budget)
    cost = cost_of(config, device=device, store=store, threads=threads)
    table = SweepResult(config)
    found = cells(config, device=device, budget=budget, store=store, threads=threads)
    for cell, outcome in counted(found, table.total, progress=progress, **cost):
        record(table, cell, outcome)
    return table


def cost_of(
    config: SweepConfig,
    *,
    device: str | None = None,
    store: ResultStore | None = None,
    threads: int | None = None,
) -> SweepCost:
    """Return what the cells that the store does not have will take, by an estimate."""
    missing = [cell for cell in config.cells if store is None or cell.digest not in store]
    count = processes([cell.config for cell in missing], choose_device(device), _threads(threads))
    about = forecast.sweep_seconds(missing, ON_CPU)
    return {"kept": len(config.cells) - len(missing), "about": about, "cores": count}


def cells(
    config: SweepConfig,
    *,
    device: str | None = None,
    budget: budgets.Budget | None = budgets.DEFAULT,
    store: ResultStore | None = None,
    threads: int | None = None,
) -> Iterator[tuple[Cell, Outcome]]:
    """Yield each cell and what it came to: first what the store has, then as they are computed.

    What is computed is put into the store first. Whoever iterates may stop at any time. A run
    that came to the end of a budget is that of the default one in the store, and of no other.
    """
    choose_device(device)  # a wrong name is the call's mistake, not each cell's
    _threads(threads)
    missing: list[Cell] = []
    for cell in config.cells:
        known = store.find(cell.digest) if store else None
        if known is None or not _holds(known, budget):
            missing.append(cell)
        else:
            yield cell, known
    for cell, outcome in computed(missing, device=device, threads=threads, budget=budget):
        if store and isinstance(outcome, RunResult) and _holds(outcome, budget):
            store.put(cell.digest, outcome.to_bytes())
        yield cell, outcome


def _threads(asked: int | None) -> int:
    return cores() if asked is None else check_threads(asked)


def _holds(result: RunResult, budget: budgets.Budget | None) -> bool:
    """Whether this is the result of its config under the default budget and under this one."""
    return result.status != "budget" or budget == budgets.DEFAULT


def computed(
    missing: Sequence[Cell],
    *,
    device: str | None = None,
    threads: int | None = None,
    budget: budgets.Budget | None = budgets.DEFAULT,
) -> Iterator[tuple[Cell, Outcome]]:
    """Yield each of these cells and what it came to, in whatever order they end.

    Cells advance together, so an error names no cell: what had not ended is tried again in
    halves, until the one that fails is alone.
    """
    if not missing:
        return
    left = dict(enumerate(missing))
    try:
        lanes = run_lanes(
            [cell.config for cell in missing],
            device=device,
            threads=_threads(threads),
            budget=budget,
        )
        for number, result in lanes:
            yield left.pop(number), result
    except LazyLabError as error:
        rest = list(left.values())
        if len(missing) == 1:
            yield rest[0], error
            return
        half = (len(rest) + 1) // 2
        for part in (rest[:half], rest[half:]):
            yield from computed(part, device=device, threads=threads, budget=budget)


def record(table: SweepResult, cell: Cell, outcome: Outcome) -> None:
    """Put what the cell came to into the table."""
    if isinstance(outcome, RunResult):
        table.add(cell.digest, outcome)
    else:
        table.add_failure(cell.digest, str(outcome))
