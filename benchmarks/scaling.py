"""How do the times grow with points n, weights p, lanes and time T?

    python -m benchmarks.scaling [--write]

Square loss, float64, one thread, medians of repeated runs; exponents by least squares in
logarithms with two standard errors. `--write` writes what is found to docs/scaling.md.

kernel      the tangent kernel of the training points and its eigenvectors, against n
gradient    one gradient of one two-layer network, against p (by its width) and against n
lanes       one gradient of many networks of one shape, against their number
flow        gradients that gradient flow takes, against λ_max·T: Euler's steps, stable up to
            2/λ_max, would grow with exponent 1
"""

import benchmarks._ours  # noqa: F401  # before numpy comes

# isort: split
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks._timing import Said, Table, arguments, conclude, exponent, machine, say, seconds
from lazycore.config.run import RunConfig
from lazycore.dynamics import trajectory
from lazycore.engine.features.kernel import tangent_kernel
from lazycore.engine.linear.closed_form import closed_form
from lazycore.engine.linear.tangent import tangent_space
from lazycore.engine.problem.data import load
from lazycore.engine.problem.problem import Problem, build_problem
from lazycore.engine.problem.stacked import stack

CPU = torch.device("cpu")
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "scaling.md"
HEAD = """# How times grow

Written by `python -m benchmarks.scaling --write`, on {where}. Square loss, float64, one thread,
medians; n points, p weights of a two-layer ReLU network in d = {dim} inputs. Exponents by least
squares in logarithms, with two standard errors: they hold over the ranges shown and say how a
time grows, not what it is on your machine.
"""


@dataclass(frozen=True)
class Ranges:
    """What is varied, and the repeats of each timing."""

    dim: int = 100
    width: int = 100
    n: int = 1000
    kernel_n: tuple[int, ...] = (250, 500, 1000, 2000, 3000)
    gradient_n: tuple[int, ...] = (250, 500, 1000, 2000, 4000, 8000)
    widths: tuple[int, ...] = (25, 50, 100, 200, 400, 800)
    lanes: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100)
    stiffness: tuple[float, ...] = (30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0)
    flow_n: int = 200
    repeats: int = 7


TINY = Ranges(
    dim=4,
    width=6,
    n=20,
    kernel_n=(10, 20, 40),
    gradient_n=(10, 20, 40),
    widths=(4, 8, 16),
    lanes=(1, 2, 4),
    stiffness=(2.0, 4.0, 8.0),
    flow_n=10,
    repeats=1,
)


def values_of(ranges: Ranges, n: int, width: int, **fields) -> dict[str, Any]:
    """Return the resolved fields of a two-layer run of this size."""
    config = RunConfig(n_train=n, n_test=0, dim=ranges.dim, width=width, **fields)
    return config.resolve().to_dict()


def problem(ranges: Ranges, n: int, width: int) -> Problem:
    """Return its problem."""
    return build_problem(values_of(ranges, n, width), CPU)


def milliseconds(function: Callable[[], object], repeats: int) -> float:
    """Return the median time of a call, after one that is not counted; calls of less than
    10 ms are timed many at a time."""
    once = seconds(function)
    many = max(1, min(1000, int(0.01 / max(once, 1e-7))))
    times = [seconds(lambda: [function() for _ in range(many)]) / many for _ in range(repeats)]
    return 1e3 * median(times)


def table(
    title: str, against: str, what: Sequence[str], at: Sequence[float], found: Sequence[tuple]
) -> Table:
    """Return the rows with a last one of the exponents."""
    fits = [exponent(at, column) for column in zip(*found, strict=True)]
    last = ("exponent", *(f"{slope:.2f} ± {error:.2f}" for slope, error in fits))
    rows = [(f"{x:,g}", *values) for x, values in zip(at, found, strict=True)]
    return Table(title, (against, *what), [*rows, last])


# ── what is measured ─────────────────────────────────────────────────────────────────────
def of_kernel(ranges: Ranges) -> Table:
    """Time the kernel, and what the linearised model needs to be known at every time."""
    found = []
    for n in ranges.kernel_n:
        repeats = ranges.repeats if n <= 1000 else min(2, ranges.repeats)
        first = problem(ranges, n, ranges.width)
        features = first.train.features
        kernel = milliseconds(lambda features=features: tangent_kernel(features), repeats)

        def whole(n: int = n) -> float:
            fresh = problem(ranges, n, ranges.width)
            return seconds(lambda: closed_form(tangent_space(fresh)))

        found.append((kernel, 1e3 * median(whole() for _ in range(repeats))))
    what = ("kernel, ms", "kernel and closed form, ms")
    title = f"The tangent kernel and its eigenvectors (m = {ranges.width})"
    return table(title, "n", what, ranges.kernel_n, found)


def one_gradient(found: Problem, repeats: int) -> float:
    """Return the ms of a gradient of one network."""
    lanes = stack([found])
    v = torch.zeros(1, found.w0.numel(), dtype=found.w0.dtype)
    return milliseconds(lambda: lanes.gradient(v), repeats)


def of_gradient(ranges: Ranges) -> Iterator[Table]:
    """Time one gradient against p and against n."""
    sizes, found = [], []
    for width in ranges.widths:
        one = problem(ranges, ranges.n, width)
        sizes.append(one.w0.numel())
        found.append((one_gradient(one, ranges.repeats),))
    title = f"A gradient of one network, by its weights (n = {ranges.n:,})"
    yield table(title, "p", ("ms",), sizes, found)
    found = [
        (one_gradient(problem(ranges, n, ranges.width), ranges.repeats),) for n in ranges.gradient_n
    ]
    title = f"A gradient of one network, by its points (m = {ranges.width})"
    yield table(title, "n", ("ms",), ranges.gradient_n, found)


def of_lanes(ranges: Ranges) -> Table:
    """Time one gradient of many networks over the same points."""
    found = []
    data = load(values_of(ranges, ranges.n, 50), CPU)
    for count in ranges.lanes:
        each = [values_of(ranges, ranges.n, 50, data_seed=0, init_seed=s) for s in range(count)]
        many = [build_problem(values, CPU, data) for values in each]
        lanes = stack(many)  # over the same points, as runs that differ in their weights alone
        v = torch.zeros(count, many[0].w0.numel(), dtype=many[0].w0.dtype)
        spent = milliseconds(lambda lanes=lanes, v=v: lanes.gradient(v), ranges.repeats)
        found.append((spent, spent / count))
    title = f"A gradient of many networks (n = {ranges.n:,}, m = 50)"
    return table(title, "lanes", ("ms", "ms a lane"), ranges.lanes, found)


def of_flow(ranges: Ranges) -> Table:
    """Count the gradients that flow takes, on the path that is shown."""
    found = []
    for stiffness in ranges.stiffness:
        counts = []
        for activation in ("tanh", "relu"):
            fields = {"activation": activation, "alpha": 10.0, "dynamics": "flow"}
            values = values_of(ranges, ranges.flow_n, 50, **fields)
            one = build_problem(values, CPU)
            end = stiffness / one.largest_eigenvalue
            counts.append(list(trajectory(one, values | {"time": end}))[-1].steps)
        found.append((*counts, int(np.ceil(stiffness / 2.0))))
    what = ("tanh", "ReLU", "Euler's at the limit of stability")
    title = f"Gradients of a flow at the default tolerance (n = {ranges.flow_n}, m = 50, α = 10)"
    return table(title, "λ_max·T", what, ranges.stiffness, found)


def measure(size: str = "full") -> Iterator[Said]:
    """Yield the tables."""
    torch.set_num_threads(1)
    ranges = Ranges() if size == "full" else TINY
    yield machine(1, 1024 if size == "full" else 32)
    yield of_kernel(ranges)
    yield from of_gradient(ranges)
    yield of_lanes(ranges)
    yield of_flow(ranges)


def document(found: Sequence[Said], dim: int) -> str:
    """Return the tables as a document."""
    tables = [said for said in found if isinstance(said, Table)]
    where = f"{platform.machine()}, {tables[0].title.removeprefix('this machine: ')}"
    parts = [HEAD.format(where=where, dim=dim)]
    parts += [
        f"## {said.title[:1].upper()}{said.title[1:]}\n\n{said.markdown()}\n" for said in tables
    ]
    return "\n".join(parts)


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/scaling.md")
    given = parser.parse_args()
    found: list[Said] = []
    for said in measure(given.size):
        found.append(said)
        say([said])
    if given.write:
        dim = (Ranges() if given.size == "full" else TINY).dim
        DOCUMENT.write_text(document(found, dim))
        print(f"  written to {DOCUMENT.name}")
    return conclude([], given.check)


if __name__ == "__main__":
    raise SystemExit(main())
