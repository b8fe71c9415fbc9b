"""What the warm child does with a sweep: it hands each cell over as soon as it has ended."""

import os
from collections.abc import Iterator

from lazycore.config.sweep import SweepConfig
from lazycore.results.run import RunResult
from lazycore.service.workers import child
from lazycore.service.workers.child import CellDone

NICENESS = 10
"""A sweep takes the cores that nothing else wants: a run that somebody waits for goes first."""


def warm_up(device: str, threads: int) -> None:
    """Do as for a run, and step back behind it."""
    os.nice(NICENESS)
    child.warm_up(device, threads)


def computing(fields: dict, device: str) -> Iterator[CellDone]:
    """Compute those cells of the sweep `fields` whose places are in its list `wanted`."""
    import torch

    from lazycore.running.sweeps import computed

    wanted = fields.pop("wanted")
    cells = SweepConfig.from_dict(fields).cells
    missing, threads = [cells[place] for place in wanted], torch.get_num_threads()
    for cell, outcome in computed(missing, device=device, threads=threads):
        if isinstance(outcome, RunResult):
            yield CellDone(cell.digest, outcome.to_bytes())
        else:
            yield CellDone(cell.digest, b"", str(outcome))
