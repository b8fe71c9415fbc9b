"""What does a GPU bring: against this machine's CPU, and against its own product rate?

    python -m benchmarks.gpu [--check] [--device cuda:0]

Two-layer ReLU networks, d = 100, n = 1000; TF32 off. Without a GPU it says so and ends with 0.

steps       gradient descent of 1, 10 and 100 networks at m = 50, 200, 1000, in float64 and
            float32: all lanes at once there, each step one launch, in batches over two threads
            here. What a step multiplies, over its time, is a share of the rate of one large
            product there
whole runs  both models, measured at about 200 times, by descent and by flow (`run_lanes`)

`--check` exits with 1 where the two devices disagree, or 100 networks at m = 1000 in float32
are slower there than here.
"""

import benchmarks._ours  # noqa: F401  # before numpy comes

# isort: split
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import torch

from benchmarks._timing import (
    Bar,
    Said,
    Table,
    arguments,
    conclude,
    machine,
    ratio,
    say,
    seconds,
    side_by_side,
    take_turns,
)
from lazycore.config.run import RunConfig
from lazycore.engine.paths.descent import NetworkDescent
from lazycore.engine.problem.data import load
from lazycore.engine.problem.problem import Problem, build_problem, default_step_size
from lazycore.engine.problem.stacked import stack
from lazycore.running.lanes import run_lanes

THREADS = 2
AGREEMENT = {"float64": 1e-9, "float32": 1e-3}
"""Relative difference of v after the steps: at kinks rounding decides, in float32 now and then."""


@dataclass(frozen=True)
class Sizes:
    """What is timed."""

    widths: tuple[int, ...] = (50, 200, 1000)
    lanes: tuple[int, ...] = (1, 10, 100)
    n: int = 1000
    dim: int = 100
    cpu_steps: int = 3
    gpu_steps: int = 100
    rounds: int = 3
    product: int = 8192
    run_steps: int = 1000
    run_lanes: int = 20
    run_time: float | None = None


TINY = Sizes(
    (6,),
    (1, 2),
    n=20,
    dim=4,
    gpu_steps=4,
    rounds=1,
    product=32,
    run_steps=5,
    run_lanes=2,
    run_time=1.0,
)


def problems(sizes: Sizes, width: int, count: int, dtype: str, device: str) -> list[Problem]:
    """Return the problems of networks that differ in initial weights and α, on the same data."""
    configs = [
        RunConfig(
            width=width,
            n_train=sizes.n,
            n_test=0,
            dim=sizes.dim,
            dtype=dtype,
            data_seed=0,
            init_seed=seed,
            alpha=1.0 + seed,
            dynamics="gd",
        )
        for seed in range(count)
    ]
    values, where = [config.resolve().to_dict() for config in configs], torch.device(device)
    data = load(values[0], where)
    return [build_problem(value, where, data) for value in values]


def settle(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def rate_of(device: str, dtype: torch.dtype, side: int) -> float:
    """Return the GF/s of one large product on the device."""
    a, b = torch.rand(2, side, side, dtype=dtype, device=device)
    best = float("inf")
    for _ in range(5):
        settle(device)
        best = min(best, seconds(lambda: (torch.mm(a, b), settle(device))))
    return 2e-9 * side**3 / best


def descents(found: Sequence[Problem], eta: float) -> list[NetworkDescent]:
    """Return all lanes, in batches that stay in the cache on a CPU."""
    whole = stack(found)
    size = whole.at_once
    parts = [whole.select(slice(i, i + size)) for i in range(0, len(whole), size)]
    return [
        NetworkDescent(part, found[0].w0, [eta] * len(part), [0.0] * len(part)) for part in parts
    ]


def advance(batches: Sequence[NetworkDescent], steps: int, device: str) -> None:
    """Take these steps of each batch and wait for the device."""
    for batch in batches:
        batch.advance(steps)
    settle(device)


def against_cpu(sizes: Sizes, device: str) -> Iterator[Said]:
    """Compare steps of all lanes at once."""
    rates = {n: rate_of(device, getattr(torch, n), sizes.product) for n in AGREEMENT}
    rows = [(name, sizes.product, rate) for name, rate in rates.items()]
    yield Table(f"one product on {name_of(device)}", ("dtype", "side", "GF/s"), rows)
    rows, bars = [], []
    for dtype, width, count in itertools.product(AGREEMENT, sizes.widths, sizes.lanes):
        known = problems(sizes, width, count, dtype, "cpu")
        eta = default_step_size(known[0])
        here = descents(known, eta)
        there = descents(problems(sizes, width, count, dtype, device), eta)
        for side, where in ((here, "cpu"), (there, device)):
            advance(side, sizes.cpu_steps, where)
        apart = difference(here, there)
        advance(there, sizes.gpu_steps, device)  # records a step: not timed
        halves = [
            partial(advance, here[i::THREADS], sizes.cpu_steps, "cpu") for i in range(THREADS)
        ]
        on_cpu = partial(side_by_side, halves)
        on_device = partial(seconds, partial(advance, there, sizes.gpu_steps, device))
        times = take_turns({"cpu": on_cpu, "gpu": on_device}, sizes.rounds)
        times["cpu"] = [each / sizes.cpu_steps for each in times["cpu"]]
        times["gpu"] = [each / sizes.gpu_steps for each in times["gpu"]]
        cpu, gpu = (1e3 * median(times[side]) for side in ("cpu", "gpu"))
        faster = ratio(times["cpu"], times["gpu"])
        rate = 4e-6 * sizes.n * width * sizes.dim * count / gpu
        rows.append((dtype, width, count, cpu, gpu, faster, rate, f"{rate / rates[dtype]:.1%}"))
        bars.append(
            Bar(f"{dtype}, m = {width}, {count} lanes: difference", apart, AGREEMENT[dtype], True)
        )
        if (dtype, width, count) == ("float32", 1000, 100):
            bars.append(Bar("float32, m = 1000, 100 lanes: ratio", faster, 1.0))
    columns = ("dtype", "width m", "lanes", "CPU, ms", "GPU, ms", "ratio", "GF/s", "of its rate")
    yield Table(
        f"one step of all lanes, {name_of(device)} against {THREADS} threads", columns, rows
    )
    yield from bars


def difference(here: Sequence[NetworkDescent], there: Sequence[NetworkDescent]) -> float:
    """Return the largest relative difference of v over the lanes."""
    a, b = (torch.cat([batch.position.cpu() for batch in side]) for side in (here, there))
    return float(((a - b).norm(dim=1) / a.norm(dim=1)).max())


def whole_runs(sizes: Sizes, device: str) -> Iterator[Said]:
    """Compare whole runs, both models measured."""
    rows = []
    for dynamics, width in itertools.product(("gd", "flow"), sizes.widths[:2]):
        fields: dict[str, Any] = (
            {"steps": sizes.run_steps} if dynamics == "gd" else {"time": sizes.run_time}
        )
        configs = [
            RunConfig(
                width=width,
                n_train=sizes.n,
                n_test=200,
                dim=sizes.dim,
                data_seed=0,
                init_seed=seed,
                dynamics=dynamics,
                **fields,
            )
            for seed in range(sizes.run_lanes)
        ]

        def spent(where: str, configs=configs) -> float:
            return seconds(lambda: list(run_lanes(configs, device=where, threads=THREADS)))

        cpu, gpu = spent("cpu"), min(spent(device) for _ in range(2))
        rows.append((dynamics, width, len(configs), cpu, gpu, cpu / gpu))
    columns = ("dynamics", "width m", "runs", "CPU, s", "GPU, s", "ratio")
    yield Table("whole runs, float64", columns, rows)


def name_of(device: str) -> str:
    """Return what the device calls itself."""
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def measure(size: str = "full", device: str = "cuda:0") -> Iterator[Said]:
    """Yield the tables, or the sentence that there is no such device."""
    if device.startswith("cuda") and not torch.cuda.is_available():
        yield "  no GPU here that torch can use: nothing is measured."
        return
    torch.backends.cuda.matmul.allow_tf32 = False
    sizes = Sizes() if size == "full" else TINY
    yield machine(THREADS, 1024 if size == "full" else 32)
    yield from against_cpu(sizes, device)
    yield from whole_runs(sizes, device)


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--device", default="cuda:0")
    given = parser.parse_args()
    return conclude(say(measure(given.size, given.device)), given.check)


if __name__ == "__main__":
    raise SystemExit(main())
