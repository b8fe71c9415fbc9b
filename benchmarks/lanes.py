"""How much faster are many runs at once than a loop of plain PyTorch runs?

    python -m benchmarks.lanes [--check] [--widths 50 200 1000] [--part network whole float32]

10 α × 10 seeds (data and weights), two-layer ReLU networks, d = 100, n = 1000, gradient
descent over all points. Ours: two Python threads, one library thread each. Theirs: the loop of
benchmarks/_plain.py in two processes of one thread each, the same data, weights and steps;
start-up and imports are not counted on either side.

network   the networks alone, a few steps: their loop against steps of our lanes
whole     a whole run: both models with their losses on both sets at every recorded step. Ours
          (`run_lanes`, which measures more besides) over all steps; theirs over a share of them
          with as many records in proportion, its time divided by that share
float32   the same as `network` in single precision, and the error of w − w0 after 200 steps
          against float64: ours from the same numbers and from its own rounded ones, and theirs

The sides take turns, ratios are medians of rounds. `--check` exits with 1 below a bar.
"""

import benchmarks._ours  # noqa: F401  # before numpy comes

# isort: split
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

import numpy as np
import torch

from benchmarks._plain import Plain, write
from benchmarks._timing import (
    Bar,
    Said,
    Table,
    arguments,
    conclude,
    machine,
    product_rate,
    ratio,
    say,
    seconds,
    side_by_side,
    take_turns,
)
from lazycore.config.moments import recorded_steps
from lazycore.config.run import RunConfig
from lazycore.engine.paths.descent import NetworkDescent
from lazycore.engine.problem.problem import Problem, build_problem, default_step_size
from lazycore.engine.problem.stacked import stack
from lazycore.running.lanes import run_lanes

THREADS = 2
BARS = {50: 3.0, 200: 3.0, 1000: 1.0}
AGREEMENT, FLOAT32_ERROR = 1e-10, 1e-6
ERROR_ALPHAS, ERROR_STEPS = (1.0, 1e2, 1e5), 200
PARTS = ("network", "whole", "float32")


@dataclass(frozen=True)
class Work:
    """Runs of one shape, and how many steps of them are timed in how many rounds.

    share: of the steps of a whole run that the plain loop takes.
    """

    width: int
    alphas: tuple[float, ...]
    seeds: int
    steps: int
    rounds: int
    share: float = 1.0
    n: int = 1000
    dim: int = 100
    dtype: str = "float64"

    @property
    def lanes(self) -> list[tuple[int, float]]:
        """(seed, α) of every run."""
        return [(seed, alpha) for seed in range(self.seeds) for alpha in self.alphas]

    def config(self, seed: int, alpha: float) -> RunConfig:
        """Return one of the runs."""
        return RunConfig(
            width=self.width,
            alpha=alpha,
            seed=seed,
            n_train=self.n,
            n_test=self.n // 5,
            dim=self.dim,
            scaling="plain",
            zero_output="centered",
            dynamics="gd",
            steps=self.steps,
            dtype=self.dtype,
        )

    def problem(self, seed: int, alpha: float) -> Problem:
        """Return its training problem."""
        values = self.config(seed, alpha).resolve().to_dict()
        return build_problem(values, torch.device("cpu"))


def alphas(count: int) -> tuple[float, ...]:
    """Return α from rich to lazy; above 100 the plain loop's own rounding passes 1e-10."""
    return tuple(np.geomspace(0.1, 100.0, count).tolist())


def works(size: str, part: str, widths: Sequence[int]) -> list[Work]:
    """Return what is timed in this part."""
    if size == "tiny":
        tiny = Work(8, alphas(2), seeds=2, steps=4, rounds=1, n=20, dim=5, share=0.5)
        return [replace(tiny, dtype="float32" if part == "float32" else "float64")]
    if part == "whole":
        known = {
            50: Work(50, alphas(10), seeds=10, steps=1000, rounds=3, share=0.04),
            200: Work(200, alphas(10), seeds=10, steps=1000, rounds=2, share=0.02),
            1000: Work(1000, alphas(2), seeds=2, steps=1000, rounds=2, share=0.05),
        }
    else:
        known = {
            50: Work(50, alphas(10), seeds=10, steps=50, rounds=7),
            200: Work(200, alphas(10), seeds=10, steps=20, rounds=5),
            1000: Work(1000, alphas(10), seeds=10, steps=5, rounds=3),
        }
    chosen = [known[width] for width in widths]
    return [replace(w, dtype="float32") for w in chosen] if part == "float32" else chosen


# ── the two sides ────────────────────────────────────────────────────────────────────────
def prepared(plain: Plain, folder: str, work: Work) -> list[Problem]:
    """Hand the plain runs their problems; return one problem per seed, of α = 1."""
    problems = [work.problem(seed, 1.0) for seed in range(work.seeds)]
    write(f"{folder}/data.npz", problems)
    etas = [default_step_size(problem) for problem in problems]
    plain.prepare(f"{folder}/data.npz", [(seed, a, etas[seed]) for seed, a in work.lanes])
    return problems


def descents(problems: Sequence[Problem], work: Work) -> list[NetworkDescent]:
    """Return the batches of lanes as `run_lanes` forms them: of one network, in the cache."""
    found = []
    for problem in problems:
        eta = default_step_size(problem)
        whole = stack([problem.rescaled(alpha) for alpha in work.alphas])
        for first in range(0, len(whole), whole.at_once):
            part = whole.select(slice(first, first + whole.at_once))
            found.append(NetworkDescent(part, problem.w0, [eta] * len(part), [0.0] * len(part)))
    return found


def advance(batches: Sequence[NetworkDescent], steps: int) -> None:
    """Advance each batch by these steps, one after another."""
    for batch in batches:
        for _ in range(steps):
            batch.step()


def disagreement(plain: Plain, folder: str, problems: list[Problem], found, work: Work) -> float:
    """Return the largest relative difference of w − w0 between the two sides, over all runs.

    What theirs lose by rounding w in place counts as `AGREEMENT`: at α = 100 and m = 1000 the
    weights move by so little that it is 5e-10 of w − w0.
    """
    theirs = plain.weights(f"{folder}/weights")
    ours = torch.cat([batch.position for batch in found]).numpy()
    worst = 0.0
    for (seed, alpha), w, v in zip(work.lanes, theirs, ours, strict=True):
        move = w - problems[seed].w0.numpy()
        rounded = np.finfo(w.dtype).eps * work.steps**0.5 * float(np.linalg.norm(w))
        least = max(float(np.linalg.norm(move)), rounded / AGREEMENT)
        worst = max(worst, float(np.linalg.norm(v / alpha - move)) / least)
    return worst


# ── the parts ────────────────────────────────────────────────────────────────────────────
def network(plain: Plain, works: Sequence[Work], rates: dict[str, float]) -> Iterator[Said]:
    """Compare steps of the networks alone."""
    rows, bars, differences = [], [], []
    for work in works:
        with tempfile.TemporaryDirectory() as folder:
            problems = prepared(plain, folder, work)
            batches = descents(problems, work)
            halves = [partial(advance, batches[i::THREADS], work.steps) for i in range(THREADS)]
            sides = {
                "theirs": partial(plain.go, "network", steps=work.steps),
                "ours": partial(side_by_side, halves),
            }
            times = take_turns(sides, work.rounds)
            differences.append(disagreement(plain, folder, problems, batches, work))
        theirs, ours = (1e3 * median(times[side]) / work.steps for side in ("theirs", "ours"))
        products = 4e-9 * work.n * work.width * work.dim * len(work.lanes)
        share = products / (1e-3 * ours) / rates[work.dtype]
        faster = ratio(times["theirs"], times["ours"])
        rows.append((work.width, len(work.lanes), theirs, ours, faster, f"{share:.0%}"))
        if work.dtype == "float64":
            what = f"m = {work.width}, network alone, ratio"
            bars.append(Bar(what, faster, BARS.get(work.width, 1.0)))
    columns = ("width m", "runs", "theirs, ms", "ours, ms", "ratio", "of product rate")
    yield Table(
        f"one step of all networks, {works[0].dtype}, {THREADS} threads against {THREADS} "
        "processes",
        columns,
        rows,
        f"largest relative difference of w − w0: {max(differences):.1e}, theirs being in place",
    )
    if works[0].dtype == "float64":
        yield Bar("difference of w − w0 to the plain loop", max(differences), AGREEMENT, True)
    yield from bars


def whole(plain: Plain, works: Sequence[Work]) -> Iterator[Said]:
    """Compare whole runs: both models, measured at the recorded steps."""
    rows, bars = [], []
    plain.warm()
    list(run_lanes([replace(works[0], n=20, width=4, steps=2).config(0, 1.0)], device="cpu"))
    for work in works:
        with tempfile.TemporaryDirectory() as folder:
            prepared(plain, folder, work)
            configs = [work.config(*lane) for lane in work.lanes]
            steps = max(1, round(work.share * work.steps))
            records = round(len(recorded_steps(work.steps)) * steps / work.steps)
            marks = np.linspace(1, steps, max(1, records)).round().astype(int).tolist()

            def ours(configs=configs) -> float:
                return seconds(lambda: list(run_lanes(configs, device="cpu", threads=THREADS)))

            def theirs(work=work, steps=steps, marks=marks) -> float:
                return plain.go("both", steps=steps, records=marks) * work.steps / steps

            times = take_turns({"theirs": theirs, "ours": ours}, work.rounds)
        faster = ratio(times["theirs"], times["ours"])
        middle = (median(times[side]) for side in ("theirs", "ours"))
        rows.append((work.width, len(configs), work.steps, f"{steps / work.steps:.0%}", *middle))
        rows[-1] = (*rows[-1], faster)
        bars.append(Bar(f"m = {work.width}, whole run, ratio", faster, BARS.get(work.width, 1.0)))
    columns = ("width m", "runs", "steps", "theirs ran", "theirs, s", "ours, s", "ratio")
    yield Table("whole runs, both models and their losses, float64", columns, rows)
    yield from bars


def errors(plain: Plain, work: Work, steps: int) -> Iterator[Said]:
    """Compare w − w0 in single precision with float64."""
    rows = []
    work = replace(work, alphas=ERROR_ALPHAS, seeds=1, dtype="float32")
    double = replace(work, dtype="float64")
    with tempfile.TemporaryDirectory() as folder:
        (problem,) = prepared(plain, folder, work)
        plain.go("network", steps=steps)
        theirs = plain.weights(f"{folder}/weights") - problem.w0.numpy()
    single = moved(problem, work, steps)
    same = moved(widened(problem), work, steps, default_step_size(problem))
    own = moved(double.problem(0, 1.0), work, steps)
    for i, alpha in enumerate(work.alphas):
        found = (single[i], same[i]), (single[i], own[i]), (alpha * theirs[i], same[i])
        rows.append((f"{alpha:g}", *(relative(a, b) for a, b in found)))
    columns = ("α", "ours, same numbers", "ours, as configured", "theirs, same numbers")
    title = f"float32 against float64: relative error of w − w0 after {steps} steps, m = "
    yield Table(f"{title}{work.width}", columns, rows)
    yield Bar("error of float32 at α = 1e5", rows[-1][1], FLOAT32_ERROR, True)


def moved(problem: Problem, work: Work, steps: int, eta: float | None = None) -> np.ndarray:
    """Return v after these steps for every α, (α, p), as float64."""
    eta = eta or default_step_size(problem)
    lanes = stack([problem.rescaled(alpha) for alpha in work.alphas])
    descent = NetworkDescent(lanes, problem.w0, [eta] * len(lanes), [0.0] * len(lanes))
    advance([descent], steps)
    return descent.position.double().numpy()


def widened(problem: Problem) -> Problem:
    """Return the same numbers in float64."""
    train = problem.train
    assert train.y is not None
    wide = replace(train, w0=train.w0.double(), x=train.x.double(), y=train.y.double())
    return replace(problem, train=wide, test=None)


def relative(found: np.ndarray, wanted: np.ndarray) -> float:
    """Return ‖found − wanted‖/‖wanted‖."""
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def measure(
    size: str = "full", parts: Sequence[str] = PARTS, widths: Sequence[int] = (50, 200, 1000)
) -> Iterator[Said]:
    """Yield the tables and bars of these parts."""
    side = 1024 if size == "full" else 32
    yield machine(THREADS, side)
    rates = {
        name: product_rate(getattr(torch, name), THREADS, side) for name in ("float64", "float32")
    }
    with Plain(THREADS if size == "full" else 1) as plain:
        if "network" in parts:
            yield from network(plain, works(size, "network", widths), rates)
        if "whole" in parts:
            yield from whole(plain, works(size, "whole", widths))
        if "float32" in parts:
            chosen = works(size, "float32", widths)
            yield from network(plain, chosen, rates)
            yield from errors(plain, chosen[0], ERROR_STEPS if size == "full" else 5)


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--widths", nargs="+", type=int, choices=BARS, default=tuple(BARS))
    given = parser.parse_args()
    return conclude(say(measure(given.size, given.part, given.widths)), given.check)


if __name__ == "__main__":
    raise SystemExit(main())
