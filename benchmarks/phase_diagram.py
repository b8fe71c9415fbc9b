"""How long does a phase diagram take, does it fill visibly, and where does its time go?

    python -m benchmarks.phase_diagram [--check] [--dtype float32] [--tolerance 1e-3] [--profile]
        [--device cuda:0] [--seeds 1]

Digits by parity, n = 200, two hidden layers, softplus (β = 5, unit gain), ntk scaling, centred,
square loss, gradient flow: √m·α = 1e-2 … 1e4 (13) × m = 25 … 800 (6) × 5 initial seeds on one
data seed, as the sweep that a person asks for, on two threads.

--profile   where the time goes, part by part and width by width: the cells of one initial seed
            again, on this thread under a profiler (which slows down what is called often). What
            a part calls of the other parts is counted there

`--check` exits with 1 when a bar is missed.
"""

import benchmarks._ours  # noqa: F401  # before numpy comes

# isort: split
import cProfile
import pstats
import queue
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks._timing import Bar, Said, Table, arguments, conclude, machine, say
from lazycore.config.sweep import SweepConfig
from lazycore.results.run import RunResult
from lazycore.running import lanes
from lazycore.running.batches import Batches, Lane
from lazycore.running.lanes import run_lanes

THREADS, SECONDS, SLICE = 2, 120.0, 10.0
LONGEST_WAIT = 0.25
"""Share of the whole time in which nothing new may be seen."""

PARTS = {
    "network: gradients": ("stacked.py:gradient",),
    "linearised model: rates, outputs": ("tangent_lanes.py:gradient", "tangent_lanes.py:outputs"),
    "kernel and eigenvectors at w0": ("closed_form.py:closed_form", "anchor.py:kernel"),
    "steps: judging errors": ("pair.py:judge",),
    "steps: stages": ("chebyshev.py:_attempt", "dormand_prince.py:_attempt"),
    "steps: spectral radius": ("chebyshev.py:_look_at_radii",),
    "steps: at recorded times": ("side_by_side.py:pass_by", "side_by_side.py:ready"),
    "recording: outputs and losses": ("metrics.py:series",),
    "recording: kernel change": ("metrics.py:sparse",),
    "κ: second derivative": ("kappa.py:kappa",),
    "data, networks, largest eigenvalue": ("batches.py:_shared", "recording.py:choose_scales"),
    "result": ("run.py:collect",),
}
"""Functions by the file and name a profiler knows them by; the time in one of them goes to it
less the time in those that it calls."""

REST, ROUNDS = "the rest", 60
"""What belongs to no part, and how often shares are handed down the calls: as deep as they go."""


def diagram(size: str, dtype: str, tolerance: float, seeds: int = 5) -> SweepConfig:
    """Return the sweep over so many initial seeds."""
    fields = {
        "task": "digits",
        "n_train": "200",
        "n_test": "500",
        "model": "fully_connected",
        "depth": "2",
        "activation": "softplus",
        "activation_beta": "5",
        "activation_gain": "unit",
        "scaling": "ntk",
        "zero_output": "centered",
        "loss": "square",
        "dynamics": "flow",
        "data_seed": "0",
        "dtype": dtype,
        "tolerance": repr(tolerance),
    }
    axes = {
        "alpha_sqrt_width": "1e-2:1e4:13",
        "width": "25,50,100,200,400,800",
        "init_seed": ",".join(map(str, range(seeds))) + ",",
    }
    if size == "tiny":
        fields |= {"n_train": "20", "n_test": "20"}
        axes = {"alpha_sqrt_width": "1:100:2", "width": "5,10", "init_seed": "0,"}
    return SweepConfig.from_text(fields | axes)


def filled(
    sweep: SweepConfig, device: str = "cpu"
) -> tuple[list[tuple[float, int]], list[RunResult]]:
    """Compute the sweep; return when each cell came and which, and the results in that order."""
    begun, came, results = time.perf_counter(), [], []
    configs = [cell.config for cell in sweep.cells]
    for number, result in run_lanes(configs, device=device, threads=THREADS):
        came.append((time.perf_counter() - begun, number))
        results.append(result)
    return came, results


def by_width(
    sweep: SweepConfig, came: Sequence[tuple[float, int]], results: Sequence[RunResult]
) -> Table:
    """Return how long each width was at work, the cheapest first, and what came out."""
    rows, before = [], 0.0
    widths = sorted({cell.values["width"] for cell in sweep.cells})
    for width in widths:
        there = [
            (at, result)
            for (at, number), result in zip(came, results, strict=True)
            if sweep.cells[number].values["width"] == width
        ]
        last = max(at for at, _ in there)
        verdicts = [result.verdict for _, result in there]
        spent = max(0.0, last - before)
        counts = [verdicts.count(name) for name in ("lazy", "crossover", "rich", "undecided")]
        rows.append((width, len(there), last, spent, 1e3 * spent / len(there), *counts))
        before = max(before, last)
    return Table(
        "cells by width, as they were filled",
        ("width m", "cells", "all there by, s", "s", "ms a cell", "lazy", "cross.", "rich", "und."),
        rows,
    )


def by_slice(came: Sequence[tuple[float, int]]) -> Table:
    """Return how many cells came in each ten seconds."""
    at = np.array([when for when, _ in came])
    edges = np.arange(0.0, at.max() + SLICE, SLICE)
    counts = np.histogram(at, edges)[0]
    rows = [
        (f"{a:.0f}–{a + SLICE:.0f}", int(c), int(total))
        for a, c, total in zip(edges, counts, counts.cumsum(), strict=False)
    ]
    return Table("cells that came, by seconds", ("seconds", "cells", "in all"), rows)


# ── where the time goes ──────────────────────────────────────────────────────────────────
def parts_of(sweep: SweepConfig) -> dict[str, float]:
    """Return the seconds of each part over these cells, batched as in the sweep, one thread."""
    device = torch.device("cpu")
    work = lanes._Work([Lane(cell.config) for cell in sweep.cells], device)
    profile = cProfile.Profile()
    profile.enable()
    lanes._serve(work, Batches(device).advance, queue.Queue())
    profile.disable()
    return shares(profile)


def shares(profile: cProfile.Profile) -> dict[str, float]:
    """Return the time of each part less that of the parts within it, and the rest.

    Every function's own time goes to the parts by which it was called, in proportion to the
    time it took for each caller: a share that is handed down the calls.
    """
    stats = pstats.Stats(profile).stats  # pyright: ignore[reportAttributeAccessIssue]
    names = {name: part for part, names in PARTS.items() for name in names}
    owners = {f: {names.get(f"{Path(f[0]).name}:{f[2]}", REST): 1.0} for f in stats}
    handed = {
        function: _callers(function, callers)
        for function, (*_, callers) in stats.items()
        if REST in owners[function] and _callers(function, callers)
    }
    # Calls may go round in circles, so shares are handed down until they stand still.
    for _ in range(ROUNDS):
        for function, callers in handed.items():
            found: dict[str, float] = {}
            for caller, weight in callers.items():
                for part, share in owners[caller].items():
                    found[part] = found.get(part, 0.0) + weight * share
            owners[function] = found
    spent: dict[str, float] = {}
    for function, (_, _, own, _, _) in stats.items():
        for name, share in owners[function].items():
            spent[name] = spent.get(name, 0.0) + share * own
    return spent


def _callers(function: tuple, callers: Mapping[tuple, tuple]) -> dict[tuple, float]:
    """Return the share of a function's time that it spent for each of those that call it."""
    times = {caller: call[3] for caller, call in callers.items() if caller != function}
    total = sum(times.values())
    return {caller: time / total for caller, time in times.items()} if total else {}


def profiled(size: str, dtype: str, tolerance: float) -> Iterator[Said]:
    """Yield the time of each part, width by width, over the cells of one initial seed."""
    whole = diagram(size, dtype, tolerance)
    axes = dict(whole.axes)
    found: dict[int, Mapping[str, float]] = {}
    for width in axes["width"]:
        some = axes | {"width": (width,), "init_seed": axes["init_seed"][:1]}
        found[width] = parts_of(SweepConfig(base=whole.base, axes=some))
    cells = len(axes["alpha_sqrt_width"])
    names = [*PARTS, REST]
    rows = [(n, *(1e3 * spent.get(n, 0.0) / cells for spent in found.values())) for n in names]
    rows.append(("in all", *(1e3 * sum(spent.values()) / cells for spent in found.values())))
    yield Table(
        "ms a cell, one thread, under the profiler, by width m",
        ("part", *(str(width) for width in found)),
        rows,
    )


def measure(
    size: str = "full",
    dtype: str = "float64",
    tolerance: float = 1e-3,
    profile: bool = False,
    device: str = "cpu",
    seeds: int = 5,
) -> Iterator[Said]:
    """Yield the time of the sweep, how it fills, and where the time goes."""
    yield machine(THREADS, 1024 if size == "full" else 32)
    sweep = diagram(size, dtype, tolerance, seeds)
    came, results = filled(sweep, device)
    yield f"  {len(came)} cells, {dtype}, tolerance {tolerance:g}, {THREADS} threads, {device}"
    yield by_width(sweep, came, results)
    yield by_slice(came)
    times = [0.0, *(at for at, _ in came)]
    allowed = SECONDS * seeds / 5
    yield Bar(f"seconds for the cells of {seeds} of 5 seeds", times[-1], allowed, at_most=True)
    wait = float(np.diff(times).max()) / times[-1]
    yield Bar("longest wait for a cell, share of the whole", wait, LONGEST_WAIT, at_most=True)
    failed = sum(result.status != "done" for result in results)
    yield Bar("cells that are not done", float(failed), 0.0, at_most=True)
    if profile:
        yield from profiled(size, dtype, tolerance)


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--dtype", choices=("float64", "float32"), default="float64")
    parser.add_argument("--tolerance", type=float, default=1e-3)
    parser.add_argument("--profile", action="store_true", help="where the time goes: minutes")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seeds", type=int, choices=range(1, 6), default=5)
    given = parser.parse_args()
    found = measure(
        given.size, given.dtype, given.tolerance, given.profile, given.device, given.seeds
    )
    return conclude(say(found), given.check)


if __name__ == "__main__":
    raise SystemExit(main())
