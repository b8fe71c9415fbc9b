"""What does a stage of iterative linearisation cost, and does it depend on K?

    python -m benchmarks.refresh [--check]

float64, one thread, a tanh network of two layers, n = 200 and p = 832. Both sides take turns;
every ratio is the median of ratios paired in one run.

long    eight stages of K = 10⁶ steps against eight of K = 100
stage   2,500 steps on the linear model by `torch.func.jvp` and `vjp`, against one stage: the
        kernel, its eigendecomposition and the new weights

`--check` exits with 1 when a ratio misses its bar.
"""

import benchmarks._ours  # noqa: F401  # before numpy comes

# isort: split
import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from lazycore.config.run import RunConfig
from lazycore.engine.problem.problem import Problem, build_problem, default_step_size
from lazycore.engine.refreshed.epochs import refreshed_path

STAGES, LONG, SHORT = 8, 10**6, 100
STEPS = 2500
AT_MOST, AT_LEAST = 1.2, 50.0
FIELDS = {
    **{"task": "parity", "dim": 12, "n_train": 200, "n_test": 0, "width": 64},
    # A stage may not diverge: what is not computed costs nothing.
    **{"activation": "tanh", "dynamics": "gd", "refresh_cap": "stable"},
}


def build(steps: int, every: int) -> tuple[Problem, dict]:
    """Return the problem, and its fields with the step size."""
    config = RunConfig.from_dict(FIELDS | {"steps": steps, "refresh_every": every})
    values = config.resolve().to_dict()
    problem = build_problem(values, torch.device("cpu"))
    return problem, values | {"step_size": default_step_size(problem)}


def path(problem: Problem, values: dict, step: int):
    """Return where the path is after so many steps; nothing of it is kept between calls."""
    fresh = problem.rescaled(problem.alpha)
    fresh.train.__dict__.pop("anchor", None)
    (state,) = refreshed_path(fresh, values, np.array([step]))
    assert state is not None, "the path has diverged"
    return state


def stepped(problem: Problem, eta: float, steps: int) -> torch.Tensor:
    """Return v after so many steps on the first linear model, one product at a time."""
    w0, x, y = problem.w0, problem.train.x, problem.targets

    def h(w: torch.Tensor) -> torch.Tensor:
        return problem.network(w, x)

    v = torch.zeros_like(w0)
    _, pull = torch.func.vjp(h, w0)
    for _ in range(steps):
        change = torch.func.jvp(h, (w0,), (v,))[1]
        v = v - eta * pull((problem.train.start + change - y) / len(y))[0]
    return v


def seconds(function: Callable[..., object], *arguments: object) -> float:
    """Return the time of one call."""
    begun = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - begun


def long_against_short(repeats: int, long: int = LONG) -> float:
    """Return the time of eight long stages over that of eight short ones."""
    sides = [build(STAGES * every, every) for every in (long, SHORT)]
    ratios = []
    for _ in range(repeats):
        # Asked for within the last stage: so many updates, and nothing is read after it.
        one, other = (seconds(path, *side, side[1]["steps"] - 1) for side in sides)
        ratios.append(one / other)
        print(f"  K = {long:,}: {one * 1e3:.1f} ms, K = {SHORT}: {other * 1e3:.1f} ms")
    return statistics.median(ratios)


def steps_against_stage(repeats: int, steps: int = STEPS) -> float:
    """Return the time of the steps over that of one stage."""
    problem, values = build(2 * steps, steps)
    expected = stepped(problem, values["step_size"], steps)
    found = path(problem, values, steps).v
    print(f"  largest difference of the weights {float((found - expected).abs().max()):.1e}")
    ratios = []
    for _ in range(repeats):
        slow = seconds(stepped, problem, values["step_size"], steps)
        own = statistics.median(seconds(stage, problem, values) for _ in range(5))
        ratios.append(slow / own)
        print(f"  {steps:,} steps by products {slow:.2f} s, one stage {own * 1e3:.1f} ms")
    return statistics.median(ratios)


def stage(problem: Problem, values: dict) -> None:
    """Compute one stage: kernel, eigendecomposition, weights."""
    from lazycore.engine.linear.tangent import tangent_space
    from lazycore.engine.paths.descent import tangent_positions

    fresh = problem.rescaled(problem.alpha)
    fresh.train.__dict__.pop("anchor", None)
    space, steps = tangent_space(fresh), np.array([values["refresh_every"]])
    for s in tangent_positions(space, values["step_size"], 0.0, steps):
        space.parameters(s)


def main(arguments: list[str] | None = None) -> int:
    """Print both ratios; return 1 if `--check` is given and one misses its bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    costs, gains = long_against_short(chosen.repeats), steps_against_stage(chosen.repeats)
    print(f"eight stages of K = {LONG:,} over eight of {SHORT}: {costs:.2f} (at most {AT_MOST})")
    print(f"{STEPS:,} steps over one stage: {gains:.0f} (at least {AT_LEAST:.0f})")
    return int(chosen.check and (costs > AT_MOST or gains < AT_LEAST))


if __name__ == "__main__":
    sys.exit(main())
