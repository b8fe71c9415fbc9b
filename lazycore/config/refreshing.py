"""When the tangent features of iterative linearisation are refreshed. No torch.

Features are kept from step s to step s + K, and then taken anew (Goldwaser & Ge 2022,
arXiv:2211.12345): K = 1 is gradient descent, and K of the run's length lazy training. So
⌈T/K⌉ counts how often features are taken, the first time included.
"""

from collections.abc import Iterator

import numpy as np

from lazycore.config.spec import Field, Values
from lazycore.errors import ConfigError

NOTED = 40
"""Stages of which kernel and stability are recorded, about: geometric, with both ends."""
SPECTRA = 4
"""Stages of which all eigenvalues are."""


REFRESH_EVERY = Field(
    name="refresh_every",
    kind=int,
    low=1,
    high=10**15,
    optional=True,
    log=True,
    added=True,
    unit="steps",
    meaning="steps K for which tangent features are kept (1: gradient descent; null: no such path)",
)
REFRESH_SCHEDULE = Field(
    name="refresh_schedule",
    kind=str,
    default="uniform",
    choices=("uniform", "front_loaded"),
    meaning="stages of K steps each, or as many that grow longer in equal increments",
    when=lambda values: values["refresh_every"] is not None,
)
REFRESH_SOLVER = Field(
    name="refresh_solver",
    kind=str,
    default="steps",
    choices=("steps", "levenberg_marquardt"),
    meaning="a stage is K steps on its linear model, or one damped Gauss–Newton step, μ = n/(ηK)",
    when=lambda values: values["refresh_every"] is not None,
)
REFRESH_CAP = Field(
    name="refresh_cap",
    kind=str,
    default="none",
    choices=("none", "stable"),
    meaning="stable: no stage steps further than 1/(curvature of the loss · λ_max of its kernel)",
    when=lambda values: (
        values["refresh_every"] is not None and values.get("refresh_solver", "steps") == "steps"
    ),
)


def check(values: Values) -> None:
    """Raise `ConfigError` where features are refreshed in a run that stops at its margins."""
    if values["refresh_every"] and values.get("stop") == "margins":
        raise ConfigError(
            f"stop=margins is not allowed with refresh_every={values['refresh_every']}: "
            "give stop=none, or leave refresh_every out."
        )


def updates(steps: int, every: int) -> int:
    """Return how often features are taken in `steps` steps: ⌈T/K⌉."""
    return -(-steps // every)


def stages(steps: int, every: int, schedule: str) -> Iterator[tuple[int, int]]:
    """Yield the (first step, step after the last) of every stage.

    uniform: K steps each, the last one cut short where K does not divide T. front_loaded: as
    many stages, the j-th from T (j/N)² on, or from j where that is later.
    """
    count, begin = updates(steps, every), 0
    for number in range(1, count + 1):
        if schedule == "front_loaded":
            end = max(number, round(steps * (number / count) ** 2))
        else:
            end = min(number * every, steps)
        yield begin, end
        begin = end


def ends_refreshed(steps: int, every: int, schedule: str) -> bool:
    """Whether the run's last step ends a whole stage, and is not the end of the only one.

    The network is read there, as it is wherever features are taken anew; the linear model of
    the stage is read within it, and to the end of a lazy run.
    """
    whole = schedule == "front_loaded" or steps % every == 0
    return updates(steps, every) > 1 and whole


def noted(count: int) -> dict[int, bool]:
    """Return the stages that are recorded, and whether with all of their eigenvalues."""
    spaced = np.arange(count) if count <= NOTED else np.geomspace(1, count, NOTED - 1) - 1
    numbers = {0, *np.rint(spaced).astype(int).tolist(), count - 1}
    wanted = np.linspace(0, len(numbers) - 1, SPECTRA).round().astype(int)
    return {number: place in wanted for place, number in enumerate(sorted(numbers))}
