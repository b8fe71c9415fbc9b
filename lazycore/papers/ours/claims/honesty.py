"""The error that a run states is not smaller than what its gap is off by.

Random runs, lazy, rich and chaotic ones: each against itself with every number (weights, inputs,
targets) moved by a rounding, and a flow against itself at a tenth of its tolerance. All of them
are lanes of one call of its dynamics.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.config.spec import reads
from lazycore.papers.claim import Check, Row
from lazycore.results.run import RunResult

if TYPE_CHECKING:
    from lazycore.config.moments import Moment
    from lazycore.engine.problem.problem import Problem

ALLOWED, WORST = 0.01, 3.0
"""Share of runs whose error may lie above what they state, and by which factor at most."""

MANY, FEW = 300, 10
"""Configs of each dynamics and dtype, and those of the small version."""

MOST_EVALUATIONS = 1000
"""Gradients after which a flow is compared as far as it has come."""

OUTPUT_SCALES = (-2.0, 5.0)
"""log₁₀ α."""

LOSSES = ("square", "square", "square", "logistic", "quadratic_hinge", "soft_hinge")
TASKS = ("teacher", "teacher", "sine", "circles", "digits", "parity", "stripe")
ACTIVATIONS = ("relu", "relu", "tanh", "tanh", "softplus", "swish")


@dataclass(frozen=True)
class Honest:
    """What one run states, and how far its gap is from that of the moved run and of the tighter."""

    stated: float
    moved: float
    tighter: float = 0.0


def drawn(rng: np.random.Generator, dynamics: str, dtype: str) -> tuple[RunConfig, float]:
    """Return a random small config, and by what its step or time is to be multiplied."""

    def one(*choices: Any) -> Any:
        return choices[int(rng.integers(len(choices)))]

    given: dict[str, Any] = {"task": one(*TASKS), "dynamics": dynamics, "dtype": dtype}
    given |= {"n_train": int(rng.integers(4, 25)), "n_test": 0, "seed": int(rng.integers(2**31))}
    given |= {"loss": one(*LOSSES), "width": 2 * int(rng.integers(1, 17))}
    if reads("task", given["task"], "labels") and rng.random() < 0.4:
        given |= {"labels": "ten", "loss": one("square", "cross_entropy")}
    if reads("task", given["task"], "dim"):
        given["dim"] = int(rng.integers(3, 11))
    given["model"] = one("two_layer", "fully_connected", "fully_connected")
    if reads("model", given["model"], "depth"):
        given["depth"] = int(rng.integers(1, 6))
    given |= {"activation": one(*ACTIVATIONS), "scaling": one("ntk", "ntk", "plain", "mean_field")}
    given |= {"zero_output": one("none", "centered", "symmetrized")}
    given |= {"bias": one("none", "none", "zero", "normal")}
    given |= {"alpha": float(10.0 ** rng.uniform(*OUTPUT_SCALES))}
    given |= {"init_scale": float(10.0 ** rng.uniform(-0.5, 0.5)) if rng.random() < 0.3 else 1.0}
    if not spec.takes_steps(dynamics):
        return RunConfig(**given), float(10.0 ** rng.uniform(-2.5, -0.5))
    given |= {"steps": int(10.0 ** rng.uniform(1.0, 2.5)), "momentum": one(0.0, 0.0, 0.5, 0.9)}
    # Up to eight times the default step, which is half of what is stable.
    return RunConfig(**given), float(2.0 ** rng.uniform(-1.0, 3.0)) if rng.random() < 0.6 else 1.0


def moved(problem: "Problem", seed: int) -> "Problem":
    """Return the problem with every weight, input and target moved by a rounding."""
    import torch

    rng, epsilon = np.random.default_rng(seed), torch.finfo(problem.w0.dtype).eps

    def near(values: torch.Tensor) -> torch.Tensor:
        signs = rng.choice([-1.0, 1.0], values.shape)
        return values * torch.as_tensor(1.0 + epsilon * signs, dtype=values.dtype)

    w0, x, y = (near(part) for part in (problem.w0, problem.train.x, problem.targets))
    return replace(problem, train=replace(problem.train, w0=w0, x=x, y=y), test=None)


def honest(config: RunConfig, factor: float = 1.0) -> Honest:
    """Return what this run states and how far it is off; its step or time times `factor`."""
    import torch

    from lazycore.engine.measures.recording import choose_scales
    from lazycore.engine.problem.problem import build_problem

    values = config.resolve().to_dict()
    problem = build_problem(values, torch.device("cpu"))
    values |= {name: s * factor for name, s in choose_scales(problem, values).items()}
    problems, fields = [problem, moved(problem, 1)], [values, values]
    if reads("dynamics", values["dynamics"], "tolerance"):
        problems.append(problem)
        fields.append(values | {"tolerance": 0.1 * values["tolerance"]})
    gaps, stated = _followed(problems, fields)
    return Honest(stated, *(_apart(gaps[0], other) for other in gaps[1:]))


def _followed(
    problems: "Sequence[Problem]", fields: Sequence[spec.Values]
) -> tuple[list[dict[float, float]], float]:
    """Return the gaps of these runs at their times, and the error that the first of them states."""
    found: list[list[Moment]] = [[] for _ in problems]
    trajectories = spec.find("dynamics", fields[0]["dynamics"]).trajectories
    for lane, moment in trajectories(problems, fields, limits=[MOST_EVALUATIONS] * len(problems)):
        if moment.nonlinear is not None and moment.tangent is not None:
            found[lane].append(moment)
    runs = [_measured(*one) for one in zip(problems, found, strict=True)]
    return [gaps for gaps, _ in runs], runs[0][1]


def _measured(problem: "Problem", moments: "Sequence[Moment]") -> tuple[dict[float, float], float]:
    """Return the gaps of one run up to where a model diverges, and what it states."""
    import torch

    from lazycore.config.moments import DIVERGED
    from lazycore.engine.measures.columns import positions
    from lazycore.engine.measures.recording import stated_error
    from lazycore.engine.problem.norms import rms

    train = problem.train
    space, s = positions([moment.tangent for moment in moments])
    v = torch.stack([m.nonlinear for m in moments if m.nonlinear is not None])
    both = train.changes(v), space.train_outputs(s)
    losses = [problem.loss.per_point(train.start + part, problem.targets).mean(-1) for part in both]
    goes_on = torch.stack([part <= DIVERGED * part[0] for part in losses]).all(0)
    count = int(goes_on.cumprod(0).sum())
    gaps = rms(both[0] - both[1])[:count].tolist()
    change = max(float(rms(part[:count]).max()) for part in both)
    stated = stated_error(problem, moments[count - 1], change)
    return {m.time: gap for m, gap in zip(moments, gaps, strict=False)}, stated


def _apart(one: dict[float, float], other: dict[float, float]) -> float:
    return max((abs(gap - other[time]) for time, gap in one.items() if time in other), default=0.0)


def rows(dynamics: str, dtype: str, count: int) -> list[Row]:
    """Return the lines of `count` random runs, each with a seed of its own."""
    found = []
    for number in range(count):
        rng = np.random.default_rng([number, not spec.takes_steps(dynamics), dtype == "float32"])
        found.append(honest(*drawn(rng, dynamics, dtype)))
    claims: dict[str, Callable[[Honest], float]] = {"moved by a rounding": lambda h: h.moved}
    if reads("dynamics", dynamics, "tolerance"):
        claims["ten times as tight"] = lambda h: h.tighter
    lines = []
    for claim, error in claims.items():
        ratios = np.array([error(one) / one.stated for one in found])
        share, worst = float((ratios > 1.0).mean()), float(ratios.max())
        lines.append(
            Row(
                f"{dynamics}, {dtype}: {count} random runs against the same {claim}",
                f"{share:.1%} state less than that, by {worst:.2g} × at most; median "
                f"{np.median(ratios):.2g}",
                f"≤ {ALLOWED:.0%}, by ≤ {WORST:g} ×",
                share <= ALLOWED and worst <= WORST,
            )
        )
    return lines


def _judge(count: int, results: Mapping[str, RunResult]) -> list[Row]:
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # several only wait for each other at this size
    try:
        kinds = [(d, t) for d in ("gd", "flow") for t in ("float64", "float32")]
        return [row for kind in kinds for row in rows(*kind, count)]
    finally:
        torch.set_num_threads(threads)


CHECKS = (
    Check(
        name="honesty",
        source="our own promise",
        judge=partial(_judge, MANY),
        slow=True,
    ),
)
