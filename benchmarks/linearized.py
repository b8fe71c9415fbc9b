"""How much faster is the linearised trajectory than a loop of Jacobian products?

    python -m benchmarks.linearized [--check] [--steps 10000] [--width 100]

10,000 steps of gradient descent on the square loss, n = 1000, d = 100, float64, one thread:
the closed form at every recorded time (tangent kernel and eigendecomposition included)
against one jvp and one vjp per step, the way one would write it. The two alternate in one
run; `--check` exits with 1 when the median ratio is below 100.
"""

import argparse
import os
import statistics
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy is imported: one thread

import torch

from lazycore import RunConfig
from lazycore.dynamics._descent import tangent_positions
from lazycore.dynamics._tangent import tangent_space
from lazycore.moments import recorded_steps
from lazycore.problem import Problem, build_problem, default_step_size

BAR = 100.0
BLOCKS = 5


def closed_form(problem: Problem, step_size: float, steps: int) -> torch.Tensor:
    """Return αh̄ on the training points at every recorded step, (T, n)."""
    space = tangent_space(problem)
    positions = tangent_positions(space, step_size, 0.0, recorded_steps(steps))
    return torch.stack([space.outputs(s)[:, 0] for s in positions])


def loop(problem: Problem, step_size: float, v: torch.Tensor, steps: int) -> torch.Tensor:
    """Return v after `steps` more steps, one jvp and one vjp each."""
    x, w0 = problem.train.x, problem.w0

    def network(w: torch.Tensor) -> torch.Tensor:
        return problem.network(w, x)

    _, pull = torch.func.vjp(network, w0)
    for _ in range(steps):
        outputs = problem.train.start + torch.func.jvp(network, (w0,), (v,))[1]
        v = v - step_size * pull(problem.residual(outputs))[0]
    return v


def main() -> int:
    """Print the table; return 1 when the ratio is below the bar and `--check` was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = RunConfig(n_train=1000, n_test=0, dim=100, width=options.width)
    values = config.resolve().to_dict()
    problem = build_problem(values, torch.device("cpu"))
    step_size = default_step_size(problem)
    v, looped, closed, ratios, outputs = torch.zeros_like(problem.w0), 0.0, [], [], None
    for _ in range(BLOCKS):
        begun = time.perf_counter()
        outputs = closed_form(build_problem(values, torch.device("cpu")), step_size, options.steps)
        closed.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        v = loop(problem, step_size, v, options.steps // BLOCKS)
        block = time.perf_counter() - begun
        looped += block
        ratios.append(BLOCKS * block / closed[-1])
    assert outputs is not None
    reference = problem.train.tangent_outputs(v)[:, 0]
    difference = float((outputs[-1] - reference).norm() / reference.norm())
    ratio = statistics.median(ratios)
    print(f"n = 1000, p = {problem.w0.numel():,}, {options.steps:,} steps, float64, one thread")
    print(f"  jvp/vjp loop   {looped:8.2f} s   ({1e3 * looped / options.steps:.2f} ms a step)")
    print(f"  closed form    {statistics.median(closed):8.3f} s   (median of {BLOCKS}, all times)")
    print(f"  ratio          {ratio:8.0f}×  (paired: {min(ratios):.0f} to {max(ratios):.0f})")
    print(f"  difference     {difference:8.1e}   (relative, of the final outputs)")
    return int(options.check and (ratio < BAR or difference > 1e-10))


if __name__ == "__main__":
    sys.exit(main())
