"""How many gradients does a flow up to its margins take, against the rule of the paper on it?

The setting of the checks of Geiger, Spigler, Jacot & Wyart (2020, arXiv:1906.08034): parity of
100 digits, two hidden layers of 100, softplus, soft hinge; 200 test points.

evaluations  √h α = 1e-3 … 1e5: gradients of the network (not of its linearisation) by their rule,
             dynamics=adaptive_euler, and by dynamics=flow, each at several tolerances, up to the
             stop; the error is that of the network's outputs F there on the test points, by root
             mean squares over that of F, to a flow at a tolerance of 1e-6, whose own error is
             told by one of 1e-7. A stop that comes too late or too early is part of it. Both
             have a coarser path beside the one shown, which tells its error: counted apart.
             The ratio is taken at the error of each setting of the one, where the other one
             is interpolated; 1e-4 is the ε_∇ that their code has unless told
star         the figure of α* for L = 2 (5 widths, 8 seeds, 2 scales) on two threads, its slope
             by the check's own judgement, and the gradients by width

`--check` exits with 1 below a bar.
"""

import benchmarks._ours  # noqa: F401  # before numpy comes

# isort: split
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks._counted import counted
from benchmarks._timing import Bar, Said, Table, arguments, at_level, conclude, say, seconds
from lazycore.config.run import RunConfig
from lazycore.papers.feature_lazy.claims.exponents import setting
from lazycore.papers.feature_lazy.claims.kernel import CHECKS, STAR_WIDTHS, star_runs
from lazycore.running.lanes import run_lanes
from lazycore.running.run import run

FEWER, SECONDS = 4.0, 40.0
SCALES = tuple(10.0**power for power in range(-3, 6))
TOLERANCES = (0.1, 0.03, 1e-2, 1e-3)
THEIRS = (1e-2, 1e-3, 1e-4)
EPSILONS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""Looser and tighter than theirs too: what else is at equal error?"""

REFERENCE, TINY_REFERENCE = (1e-6, 1e-7), (1e-3, 1e-4)
THREADS = 2
PARTS = ("evaluations", "star")


@dataclass(frozen=True, eq=False)
class Followed:
    """A run, its gradients and passes forward, and F and the time at the network's stop."""

    shown: int
    beside: int
    judged: int
    outputs: np.ndarray
    stop: float

    def error(self, reference: "Followed") -> float:
        """Return the root mean square of the difference of F over that of F."""
        apart = np.linalg.norm(self.outputs - reference.outputs)
        return float(apart / np.linalg.norm(reference.outputs))


def followed(scale: float, size: str, **fields: Any) -> Followed:
    """Return the run at √h α = scale with these fields."""
    shape = {"n_test": 200}
    if size == "tiny":
        shape = {"n_train": 10, "n_test": 10, "width": 8}
    with counted() as counts:
        found = run(setting(scale, **shape, **fields), device="cpu")
    latest = found.latest
    stop = latest.get("nonlinear.stop_time")
    if stop is None:
        outputs, stop = np.full(shape["n_test"], np.nan), float("nan")
    else:
        outputs = np.asarray(latest["nonlinear.test_outputs"], float).ravel()
    return Followed(counts.shown, counts.beside, counts.judged, outputs, stop)


# ── gradients at equal error ─────────────────────────────────────────────────────────────
def evaluations(
    size: str, scales: Sequence[float], tolerances: Sequence[float], epsilons: Sequence[float]
) -> Iterator[Said]:
    """Compare both at every scale, then over all of them."""
    sides: list[tuple[str, Side, Side]] = []
    for scale in scales:
        loose, tight = (
            followed(scale, size, dynamics="flow", tolerance=tolerance)
            for tolerance in (TINY_REFERENCE if size == "tiny" else REFERENCE)
        )
        flows = {t: followed(scale, size, dynamics="flow", tolerance=t) for t in tolerances}
        rules = {e: _by_the_rule(scale, size, e) for e in epsilons}
        yield _one_scale(scale, loose, tight, flows, rules)
        sides.append((f"{scale:g}", Side.of(flows, tight), Side.of(rules, tight)))
    yield from _over_all(sides, tolerances, epsilons)


@dataclass(frozen=True)
class Side:
    """One method at one scale: error, gradients of the path shown and of both, by setting."""

    errors: tuple[float, ...]
    shown: tuple[int, ...]
    both: tuple[int, ...]

    @classmethod
    def of(cls, found: Mapping[float, Followed], reference: Followed) -> "Side":
        """Return what these runs come to."""
        runs = found.values()
        return cls(
            tuple(one.error(reference) for one in runs),
            tuple(one.shown for one in runs),
            tuple(one.shown + one.beside for one in runs),
        )

    def at(self, error: float) -> tuple[float, float]:
        """Return the gradients shown, and of both, at this error; nan where it is not reached."""
        return at_level(self.errors, self.shown, error), at_level(self.errors, self.both, error)


def _over_all(
    sides: Sequence[tuple[str, Side, Side]], tolerances: Sequence[float], epsilons: Sequence[float]
) -> Iterator[Said]:
    """Yield the ratios at the error of each setting of the flow, and of the rule."""
    for number, tolerance in enumerate(tolerances):
        rows, least = [], []
        for name, flow, rule in sides:
            least.append(max(rule.shown) / flow.shown[number])
            level, own, both = flow.errors[number], flow.shown[number], flow.both[number]
            shown, total = rule.at(level)
            rows.append((name, level, own, shown, shown / own, total / both))
        yield from _ratios(f"flow at tolerance {tolerance:g}", rows, least)
    for number, epsilon in enumerate(epsilons):
        if epsilon not in THEIRS:
            continue
        rows = []
        for name, flow, rule in sides:
            level, own, both = rule.errors[number], rule.shown[number], rule.both[number]
            shown, total = flow.at(level)
            rows.append((name, level, shown, own, own / shown, both / total))
        yield from _ratios(f"the rule at ε_∇ {epsilon:g}", rows, [0.0] * len(rows))


def _ratios(what: str, rows: Sequence[tuple], least: Sequence[float]) -> Iterator[Said]:
    """least: what the ratio is at least where that error is not reached."""
    ratios = np.array([row[4] for row in rows])
    known = ratios[np.isfinite(ratios)]
    unknown = f"; not reached at {len(ratios) - len(known)} scales"
    spread = f"{known.min():.3g} to {known.max():.3g}" if len(known) else "none"
    yield Table(
        f"gradients at the error of {what}",
        ("√h α", "error of F", "flow", "the rule", "ratio", "of both paths"),
        rows,
        f"{spread}{unknown if len(known) < len(ratios) else ''}",
    )
    median = float(np.median(np.where(np.isfinite(ratios), ratios, least)))
    yield Bar(f"at the error of {what}: the rule's gradients over the flow's", median, FEWER)


def _by_the_rule(scale: float, size: str, epsilon: float) -> Followed:
    rule = {"dynamics": "adaptive_euler", "tolerance": None, "gradient_tolerance": epsilon}
    return followed(scale, size, **rule)


def _one_scale(
    scale: float,
    loose: Followed,
    tight: Followed,
    flows: dict[float, Followed],
    rules: dict[float, Followed],
) -> Table:
    named = [("flow", f"tolerance {t:g}", found) for t, found in flows.items()]
    named += [("the rule", f"ε_∇ {e:g}", found) for e, found in rules.items()]
    return Table(
        f"√h α = {scale:g}: the network stops at {tight.stop:.5g}",
        ("method", "setting", "gradients", "forward", "beside", "error of F", "of the stop"),
        [
            (
                method,
                at,
                one.shown,
                one.judged,
                one.beside,
                one.error(tight),
                abs(one.stop / tight.stop - 1.0),
            )
            for method, at, one in named
        ],
        f"reference good to {loose.error(tight):.0e}, with {tight.shown:,} gradients",
    )


# ── the figure of α* ─────────────────────────────────────────────────────────────────────
def star(size: str) -> Iterator[Said]:
    """Time the runs of α* at L = 2, judge them, and say where the time goes."""
    runs = star_runs(2)
    if size == "tiny":
        runs = {n: replace(r, n_train=10) for n, r in runs.items() if n.startswith("25 0 ")}
    begun, before = time.perf_counter(), os.times()
    found = dict(run_lanes(list(runs.values()), device="cpu", threads=THREADS))
    wall, cpu = time.perf_counter() - begun, sum(os.times()[:4]) - sum(before[:4])
    results = {name: found[number] for number, name in enumerate(runs)}
    met = sum("nonlinear.stop_time" in result.latest for result in results.values())
    yield (
        f"  α* at L = 2: {len(runs)} runs on {THREADS} threads, {met} to their margins: "
        f"{wall:.1f} s, of CPU time {cpu:.1f} s\n"
    )
    if size != "tiny":
        (check,) = (check for check in CHECKS if check.name == "feature-lazy-star-2")
        for row in check.judge(results):
            verdict = "holds" if row.passed else "does not hold"
            yield f"    {row.claim}: {row.measured}, {row.allowed}: {verdict}\n"
        yield Bar("seconds until α* is there", wall, SECONDS, at_most=True)
    yield _by_width(runs)


def _by_width(runs: Mapping[str, RunConfig]) -> Table:
    """Return what the runs of one seed take, each by itself on one thread."""
    rows = []
    for width in STAR_WIDTHS:
        shown, beside, spent = [], [], 0.0
        for name in (name for name in runs if name.startswith(f"{width} 0 ")):
            with counted() as counts:
                spent += seconds(partial(run, runs[name], device="cpu"))
            shown.append(counts.shown)
            beside.append(counts.beside)
        if shown:
            each = 1e3 * spent / (sum(shown) + sum(beside))
            rows.append((f"{width}", len(shown), sum(shown), sum(beside), spent, each))
    return Table(
        "where the time goes: the runs of one seed, one by one",
        ("h", "runs", "gradients", "beside", "s", "ms a gradient"),
        rows,
        "the time is that of the whole run: kernels, the linearised model and its end too",
    )


def measure(size: str = "full", parts: Sequence[str] = PARTS) -> Iterator[Said]:
    """Yield the tables and bars of these parts."""
    torch.set_num_threads(1)
    if "evaluations" in parts:
        given = (SCALES, TOLERANCES, EPSILONS)
        if size == "tiny":
            given = ((1e2,), (1e-1, 1e-2), (1e-2, 1e-3, 1e-4, 1e-5))
        yield from evaluations(size, *given)
    if "star" in parts:
        yield from star(size)


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    given = parser.parse_args()
    return conclude(say(measure(given.size, given.part)), given.check)


if __name__ == "__main__":
    raise SystemExit(main())
