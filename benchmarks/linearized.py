"""How much faster are the linearised model's curves than other ways to have them?

    python -m benchmarks.linearized [--check] [--steps 10000] [--widths 100 1000]

10,000 steps on the square loss, n = 1000 training and 200 test points, d = 100, outputs of
both at 500 times, float64, one thread, kernels and decomposition included. Two-layer ReLU
networks with p = 10,100 and 101,000 weights.

loop    gradient descent by one jvp and one vjp per step, as one would write it. It is timed
        over `--loop` steps and the whole is that times the number of blocks: a full loop takes
        up to ten minutes. Our curves are compared with the loop's after those steps.
peers   gradient flow by neural-tangents' `predict.gradient_descent_mse` on its empirical
        kernels, by structured derivatives (`make peers`): cold (a fresh process, compilation
        counted, imports not) and on new data of the same shape.

The sides alternate in one run, ratios are medians of pairs. `--check` exits with 1 when one
is below its bar.
"""

import benchmarks._ours  # noqa: F401  # before numpy comes

# isort: split
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial

import numpy as np
import torch

from benchmarks import peers
from lazycore import RunConfig
from lazycore.engine.features.kernel import tangent_kernel
from lazycore.engine.linear.closed_form import closed_form, descent_filters, flow_filters
from lazycore.engine.linear.lanczos import Filters
from lazycore.engine.linear.tangent import FunctionSpace, tangent_space
from lazycore.engine.problem.problem import Problem, build_problem, default_step_size

LOOP_BARS = {100: 150.0, 1000: 700.0}
COLD_BAR, NEW_BAR = 3.0, 1.0
TIMES, TESTED, BLOCKS = 500, 200, 5
WAY = peers.WAYS[0]
"""The structured derivatives: the fastest implementation in `benchmarks.kernel`."""


def build(width: int, seed: int = 0) -> Problem:
    """Return the problem of this width."""
    config = RunConfig(n_train=1000, n_test=TESTED, dim=100, width=width, seed=seed)
    return build_problem(config.resolve().to_dict(), torch.device("cpu"))


def curves(problem: Problem, filters: Filters) -> tuple[torch.Tensor, torch.Tensor]:
    """Return αh̄ on training and test points at all times, (T, n) each."""
    space = tangent_space(problem)
    solution = closed_form(space, filters)
    assert solution is not None and problem.test is not None and isinstance(space, FunctionSpace)
    phi = filters(solution.eigenvalues)
    theta_test = tangent_kernel(problem.test.features, problem.train.features)
    train = problem.train.start.T + solution.changes(space.kernel, phi)
    return train, problem.test.start.T + solution.changes(theta_test, phi)


def marks(steps: int) -> np.ndarray:
    """Return 500 distinct steps or fewer, 0 and the last included."""
    return np.unique(np.rint(np.geomspace(1, steps, TIMES)).astype(np.int64) - 1) + 1


def loop(problem: Problem, step_size: float, steps: int) -> torch.Tensor:
    """Return the training outputs after these steps, one jvp and one vjp each."""
    x, w0 = problem.train.x, problem.w0
    v = torch.zeros_like(w0)

    def network(w: torch.Tensor) -> torch.Tensor:
        return problem.network(w, x)

    _, pull = torch.func.vjp(network, w0)
    for _ in range(steps):
        outputs = problem.train.start + torch.func.jvp(network, (w0,), (v,))[1]
        v = v - step_size * pull(problem.residual(outputs))[0]
    return problem.train.start + torch.func.jvp(network, (w0,), (v,))[1]


def against_loop(width: int, steps: int, looped: int) -> tuple[float, float]:
    """Return the median ratio to the loop, and the relative difference of the outputs."""
    problem = build(width)
    step_size = default_step_size(problem)
    filters = partial(descent_filters, step_size=step_size, steps=marks(steps))
    loops, own, reference = [], [], torch.empty(0)
    for _ in range(BLOCKS):
        fresh = build(width)
        begun = time.perf_counter()
        curves(fresh, filters)
        own.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        reference = loop(problem, step_size, looped)
        loops.append((time.perf_counter() - begun) * steps / looped)
    there = partial(descent_filters, step_size=step_size, steps=np.array([looped]))
    found = curves(problem, there)[0][0]
    difference = float((found - reference[:, 0]).norm() / reference.norm())
    ratio = statistics.median(a / b for a, b in zip(loops, own, strict=True))
    print(f"  width {width}, p = {problem.w0.numel():,}, {steps:,} steps")
    print(
        f"    jvp/vjp loop  {statistics.median(loops):8.2f} s  (from blocks of {looped} steps, "
        f"{1e3 * statistics.median(loops) / steps:.2f} ms a step)"
    )
    print(f"    closed form   {statistics.median(own):8.4f} s  (median of {BLOCKS}, all times)")
    print(f"    ratio         {ratio:8.0f}×  relative difference of the outputs {difference:.1e}")
    return ratio, difference


def setting(width: int, steps: int, seed: int) -> tuple[Problem, Filters, np.ndarray]:
    """Return a problem of its own data and weights, gradient flow's filters and their times."""
    problem = build(width, seed)
    times = default_step_size(problem) * marks(steps)
    return build(width, seed), partial(flow_filters, times=times), times


def saved(folder: str, width: int, steps: int, seed: int) -> str:
    """Write the same problem for the other process; return where.

    Its loss is ½ Σ (f − y)²/n too. Its model is not centred, so the targets are moved instead.
    """
    problem, _, times = setting(width, steps, seed)
    network, w = problem.network, problem.w0
    assert problem.test is not None and problem.alpha == 1.0 and problem.train.centered
    blocks = {f"W{i}": w[b.slice].view(b.shape).numpy() for i, b in enumerate(network.blocks)}
    path = f"{folder}/{width}-{seed}.npz"
    np.savez(
        path,
        allow_pickle=False,
        x=problem.train.x.numpy(),
        x_test=problem.test.x.numpy(),
        y=(problem.targets + network(w, problem.train.x)).numpy(),
        gains=np.array(network.gains),  # pyright: ignore[reportAttributeAccessIssue]
        times=times,
        **blocks,
    )
    return path


def own_time(width: int, steps: int, seed: int) -> float:
    """Return the time from data to curves in this process."""
    problem, filters, _ = setting(width, steps, seed)
    begun = time.perf_counter()
    curves(problem, filters)
    return time.perf_counter() - begun


def own_cold(width: int, steps: int) -> float:
    """Return the same in a fresh process, imports not counted."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.linearized", "--cold", str(width), str(steps)],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)["seconds"]


def against_peers(width: int, steps: int) -> tuple[float, float]:
    """Return the median ratios to neural-tangents: cold, and on new data."""
    colds, pairs = [], []
    with tempfile.TemporaryDirectory() as folder:
        paths = [saved(folder, width, steps, seed) for seed in range(BLOCKS + 1)]
        for _ in range(3):
            peer = peers.Peer()
            first = peer.ask(what="curves", path=paths[0], way=WAY)["seconds"]
            colds.append((first, own_cold(width, steps)))
            peer.close()
        peer = peers.Peer()
        difference(peer, paths[0], width, steps)
        for seed in range(1, BLOCKS + 1):
            theirs = peer.ask(what="curves", path=paths[seed], way=WAY)["seconds"]
            pairs.append((theirs, own_time(width, steps, seed)))
        peer.close()
    ratios = []
    for name, timed in (("cold", colds), ("new data", pairs)):
        theirs, own = (statistics.median(side) for side in zip(*timed, strict=True))
        ratios.append(statistics.median(a / b for a, b in timed))
        print(f"    {name:13} {ratios[-1]:8.2f}×  ({theirs:.3f} s there, {own:.4f} s here)")
    return ratios[0], ratios[1]


def difference(peer: peers.Peer, path: str, width: int, steps: int) -> None:
    """Print how far the two libraries' curves are apart."""
    peer.ask(what="curves", path=path, way=WAY)
    problem, filters, _ = setting(width, steps, 0)
    own = curves(problem, filters)
    assert problem.test is not None
    shifts = [problem.network(problem.w0, points.x).T for points in (problem.train, problem.test)]
    with np.load(path + ".curves.npz", allow_pickle=False) as file:
        for name, mine, shift in zip(("train", "test"), own, shifts, strict=True):
            theirs = torch.from_numpy(file[name])[..., 0] - shift
            relative = float((theirs - mine).norm() / mine.norm())
            print(f"    {name} curves differ by {relative:.1e}")


def main() -> int:
    """Print the tables; return 1 when a ratio is below its bar and `--check` was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--loop", type=int, default=100)
    parser.add_argument("--widths", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--cold", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.cold:
        print(json.dumps({"seconds": own_time(*options.cold, seed=0)}))
        return 0
    a = np.random.default_rng(0).standard_normal((1000, 1000))
    begun = time.perf_counter()
    a @ a.copy()
    rate = 2.0 / (time.perf_counter() - begun)
    print(f"n = 1000, float64, one thread, products {rate:.0f} GF/s, load {os.getloadavg()[0]:.1f}")
    missed = False
    for width in options.widths:
        ratio, error = against_loop(width, options.steps, options.loop)
        missed |= ratio < LOOP_BARS.get(width, 0.0) or error > 1e-10
        if peers.available():
            cold, new = against_peers(width, options.steps)
            missed |= cold < COLD_BAR or new < NEW_BAR
        else:
            print("    no .venv-peers: `make peers` builds it; that comparison is left out")
    bars = ", ".join(f"{bar:.0f}× at width {width}" for width, bar in LOOP_BARS.items())
    print(f"bars: loop {bars}; neural-tangents cold {COLD_BAR:g}×, new data {NEW_BAR:g}×: ", end="")
    print("MISSED" if missed else "ok")
    return int(options.check and missed)


if __name__ == "__main__":
    sys.exit(main())
