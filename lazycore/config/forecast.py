"""What a person is told before a run or a sweep starts: how long it will take. No torch.

`budget` refuses what cannot be afforded, by counts of arithmetic alone. An adaptive run of small
networks spends most of its time elsewhere: some 6,000 evaluations, with those that measure its
error, each with half a millisecond of Python beside the arithmetic (docs/log/speed.md, 2026-11-28).
"""

from collections import Counter
from collections.abc import Iterable

from lazycore.config import spec
from lazycore.config.cost import COSTLESS, USUAL_EVALUATIONS, duration, estimate
from lazycore.config.run import RunConfig
from lazycore.config.sweep import Cell

SECONDS_BETWEEN = 5e-4
"""What an evaluation of an adaptive run takes beside its arithmetic."""


def seconds(config: RunConfig, together: int = 1) -> float:
    """Return how long this run should take on one slow core: right within a factor of three.

    together: runs of its shape that advance with it, where their networks can; what lies between
    the evaluations is then done once for all of them.
    """
    cost, values = estimate(config), config.resolve().to_dict()
    evaluations = spec.find("dynamics", values["dynamics"]).SPEC.facts.get("adaptive", 0)
    if not evaluations:
        return cost.seconds
    stacked = spec.find("model", values["model"]).SPEC.facts.get("stacked")
    between = evaluations * SECONDS_BETWEEN / (together if stacked else 1)
    return cost.seconds + (evaluations - USUAL_EVALUATIONS) * cost.evaluation_seconds + between


def sweep_seconds(cells: Iterable[Cell], together: int = 1) -> float:
    """Return how long these cells of a sweep should take on one core, so many at a time."""
    shapes: dict[tuple, Cell] = {}
    counts: Counter[tuple] = Counter()
    for cell in cells:
        shape = tuple(value for name, value in cell.values.items() if name not in COSTLESS)
        counts[shape] += 1
        shapes.setdefault(shape, cell)
    return sum(
        count * seconds(shapes[shape].config, min(together, count))
        for shape, count in counts.items()
    )


def told(about: float, cores: int = 1) -> str:
    """Return in words what work of so many seconds costs on so many cores.

    >>> told(7.2), told(60.0, cores=2)
    ('about 7 s on one core (estimate)', 'about 30 s on 2 cores (estimate)')
    """
    where = "one core" if cores == 1 else f"{cores} cores"
    return f"about {duration(about / cores)} on {where} (estimate)"
