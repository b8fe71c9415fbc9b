"""Which tasks, models, losses and dynamics go together: some pairs are refused with a cure."""

import itertools
from functools import cache

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.errors import ConfigError

SELECTORS = ("task", "model", "loss", "dynamics")


@cache
def combinations() -> tuple[dict[str, str], ...]:
    """Return every choice of a task, a model, a loss and a dynamics that can be run."""
    names = [sorted(spec.collect(kind)) for kind in SELECTORS]
    pairs = (dict(zip(SELECTORS, chosen, strict=True)) for chosen in itertools.product(*names))
    return tuple(chosen for chosen in pairs if is_possible(chosen))


def is_possible(chosen: dict) -> bool:
    """Return whether this can be run; if not, the refusal must say what to give instead."""
    try:
        RunConfig.from_dict(chosen)
    except ConfigError as error:
        assert "give " in str(error), error
        return False
    return True


def one(**wanted: str) -> dict[str, str] | None:
    """Return a combination with these choices, the defaults where that can be; None if none is."""
    found = [c for c in combinations() if wanted.items() <= c.items()]
    plain = {name: value for name, value in RunConfig().resolve().to_dict().items()}
    return max(found, key=lambda c: sum(c[k] == plain[k] for k in c), default=None)


def few(task: str, n: int) -> int:
    """Return n, or as many training points as the task can have."""
    fields = spec.find("task", task).SPEC.reads
    return min(n, *(int(field.high or n) for field in fields if field.name == "n_train"))
