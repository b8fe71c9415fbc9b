"""From the tables of sweeps to lines over one of their axes."""

from collections.abc import Mapping, Sequence

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.config.sweep import SweepConfig
from lazycore.papers.reproduction import Curve, Found, Job
from lazycore.results.plane import SEEDS
from lazycore.results.quantities import QUANTITIES
from lazycore.results.run import RunResult
from lazycore.results.sweep import SweepResult


def line(
    name: str,
    found: Sequence[Found],
    axis: str,
    quantity: str,
    factor: float = 1.0,
    look: str = "nonlinear",
) -> Curve:
    """Return a quantity, times `factor`, along `axis` over the seeds of these sweeps.

    The sweeps are parts of one line: their values of `axis` are put side by side.
    """
    tables = [table for table in found if isinstance(table, SweepResult)]
    column = list(QUANTITIES).index(quantity)
    values: dict[float, dict[tuple, float]] = {}
    for table in tables:
        for cell, numbers in zip(table.config.cells, table.values, strict=True):
            seed = tuple(cell.values[s] for s in SEEDS if s in cell.values)
            values.setdefault(float(cell.values[axis]), {})[seed] = factor * numbers[column]
    x = sorted(values)
    seeds = sorted({seed for row in values.values() for seed in row})
    runs = np.array([[values[at].get(seed, np.nan) for at in x] for seed in seeds])
    return Curve.of_runs(name, np.array(x), runs.reshape(len(seeds), len(x)), look)


def configs(jobs: Sequence[Job]) -> dict[str, RunConfig]:
    """Return every run of these jobs by its digest."""
    cells = [cell for job in jobs if isinstance(job, SweepConfig) for cell in job.cells]
    runs = [job for job in jobs if not isinstance(job, SweepConfig)]
    return {cell.digest: cell.config for cell in cells} | {run.digest: run for run in runs}


def gathered(jobs: Sequence[Job], results: Mapping[str, RunResult]) -> list[Found]:
    """Return what these jobs came to, from the results of their runs by digest."""
    found: list[Found] = []
    for job in jobs:
        if isinstance(job, SweepConfig):
            table = SweepResult(job)
            for cell in job.cells:
                if cell.digest in results:
                    table.add(cell.digest, results[cell.digest])
            found.append(table)
        else:
            found.append(results.get(job.digest))
    return found
