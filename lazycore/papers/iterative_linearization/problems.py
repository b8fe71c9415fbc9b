"""The problems of the Refresh page, and their runs over K, which ship with the program.

Iterative linearisation keeps tangent features for K steps (Goldwaser & Ge 2022,
arXiv:2211.12345). Its figures were not seen: these problems are inspired by the paper, or show
one thing each.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lazycore.config.run import RunConfig

STEPS = {"K steps": {}}
"""What most problems have: the stages as the paper has them."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A run that is looked at for several K.

    said: what there is to see, in a sentence. every: K, from lazy training on. seeds: of every
    K. variants: fields that are different, by what they are called; all but the first are run
    with the first seed alone, and with `fewer` K where that is given.
    """

    name: str
    said: str
    fields: dict[str, Any]
    every: tuple[int, ...]
    chosen: int
    seeds: tuple[int, ...] = (0,)
    variants: dict[str, dict[str, Any]] = field(default_factory=lambda: dict(STEPS))
    fewer: tuple[int, ...] = ()

    def every_of(self, variant: str) -> tuple[int, ...]:
        """Return the K that this variant ships with."""
        return self.every if self._is_first(variant) or not self.fewer else self.fewer

    def seeds_of(self, variant: str) -> tuple[int, ...]:
        """Return the seeds that every K of this variant ships with."""
        return self.seeds if self._is_first(variant) else self.seeds[:1]

    def config(self, variant: str, every: int, seed: int | None = None) -> RunConfig:
        """Return the run of this variant and K, with the first seed where none is given."""
        first = {"refresh_every": every, "seed": self.seeds[0] if seed is None else seed}
        return RunConfig.from_dict(self.fields | first | self.variants[variant])

    def configs(self, variant: str, every: int | None = None) -> list[RunConfig]:
        """Return every run of this variant, or those of one K."""
        wanted = self.every_of(variant) if every is None else (every,)
        seeds = self.seeds_of(variant)
        return [self.config(variant, one, seed) for one in wanted for seed in seeds]

    def _is_first(self, variant: str) -> bool:
        return variant == next(iter(self.variants))


_PARITY = {
    **{"task": "parity", "dim": 10, "n_train": 200, "n_test": 2000},
    **{"activation": "tanh", "width": 64, "zero_output": "symmetrized", "bias": "zero"},
    **{"dynamics": "gd", "steps": 10_000},
}
_ALL = (
    Problem(
        name="3-sparse parity",
        said="The product of three of ten signs: a lazy network fits the training points and is "
        "wrong on new ones; a few updates of the features are enough to be right.",
        fields=_PARITY,
        every=(10_000, 5000, 2500, 1250, 500, 100, 25),
        chosen=1250,
        seeds=(0, 1, 2),
        variants={
            **STEPS,
            "Levenberg–Marquardt": {"refresh_solver": "levenberg_marquardt"},
            "front-loaded": {"refresh_schedule": "front_loaded"},
        },
        fewer=(10_000, 5000, 2500, 1250, 500),
    ),
    Problem(
        name="a stage that diverges",
        said="With fewer points and biases λ_max grows sixfold after the first stage: gradient "
        "descent curves back by itself, steps on a frozen linear model cannot. A cap on η can.",
        fields=_PARITY | {"n_train": 150, "bias": "normal", "bias_gain": 0.1, "seed": 6},
        every=(10_000, 5000, 2500, 1250),
        chosen=2500,
        seeds=(6,),
        variants={"no cap": {}, "cap on η": {"refresh_cap": "stable"}},
    ),
    Problem(
        name="two circles",
        said="The learned function on the plane: gradient descent, lazy training and the path "
        "between them. A long stage can end far outside of what its linear model describes.",
        fields={
            **{"task": "circles", "n_train": 40, "n_test": 200, "width": 32, "alpha": 0.3},
            **{"activation": "tanh", "zero_output": "symmetrized"},
            **{"dynamics": "gd", "steps": 2000},
        },
        every=(2000, 1000, 500, 200, 50),
        chosen=200,
    ),
    Problem(
        name="figure eight",
        said="Two outputs in their plane: each stage moves along the tangent of the curve where "
        "it begins, and jumps back onto the curve where the next one does. The lazy path stays "
        "on the first tangent; a few updates follow the curve to the target.",
        fields={
            **{"task": "plane_target", "target_1": 2.5, "target_2": -1.2, "alpha": 2.0},
            **{"dynamics": "gd", "steps": 400, "step_size": 0.05},
        },
        every=(400, 200, 100, 50, 20, 5),
        chosen=50,
    ),
)


def problems() -> dict[str, Problem]:
    """Return the problems of the page by name, in its order."""
    return {problem.name: problem for problem in _ALL}


@cache
def configs() -> tuple[RunConfig, ...]:
    """Return every run that ships, each once."""
    found = [c for p in _ALL for variant in p.variants for c in p.configs(variant)]
    return tuple({config.digest: config for config in found}.values())
