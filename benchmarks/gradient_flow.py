"""How many gradients does gradient flow take, for what error, against Euler's steps?

    python -m benchmarks.gradient_flow [--check] [--part precision crossing]

The set-up of Fig. 1(c) of Chizat, Oyallon & Bach (2019): d = 100, n = 1000, m = 50, teacher,
no scaling of the layers, both models as one system on the same steps; a gradient of both is
counted as one. The authors' step is 0.1/τ² (on ReLU networks). For tanh, which they did not
train, a step with the same λ_max·η is taken, and the centred model.

precision   tanh at α = 1, 10, 100: the error of the gap; ReLU, paired neurons, at τ = 0.1
            (rich), 1, 10 (lazy): of the displacement ‖w − w0‖ (that of w − w0 itself is beside
            it, and is larger: neurons at kinks differ); to T of 1,000 and of 10,000 such steps.
            Each is the largest difference at 16 times, over the largest value, to a reference
            of ours that is hundreds of times tighter; what that one is good to is said beside
            it. Gradients at equal error are interpolated over a sweep of tolerances
crossing    the gradients of the two Runge–Kutta methods at equal error against λ_max·T, and
            where they cross: what STIFF is to be

The rule of feature_lazy (Geiger et al. 2020) is Euler's method with steps that grow by a tenth
while the gradient turns by little, and fall by ten where it does not (with its steps held above
a thousandth of the time passed: at kinks it would never end). `--check` exits with 1 below a bar.
"""

import benchmarks._ours  # noqa: F401  # before numpy comes

# isort: split
import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch

from benchmarks._flow import (
    DEFAULT_TOLERANCE,
    Curve,
    Errors,
    System,
    euler,
    feature_lazy,
    relu,
    runge_kutta,
    tanh,
)
from benchmarks._timing import Bar, Said, Table, arguments, at_level, conclude, say
from lazycore.engine.paths.side_by_side import COARSENESS
from lazycore.engine.steppers.chebyshev import Chebyshev
from lazycore.engine.steppers.dormand_prince import DormandPrince
from lazycore.engine.steppers.pair import STIFF, is_stiff
from lazycore.engine.steppers.path import Stepper

BARS = {1_000: 6.0, 10_000: 12.0}
GAP_LEVEL, DISPLACEMENT_LEVEL = 0.1, 0.01
TOLERANCES = (30.0, 10.0, 3.0, 1.0, 3e-1, 1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
"""Up to thirty: what is asked for here, 10 % of the gap or 1 % of the displacement, is far more
than a run lets through."""
KINKED = TOLERANCES[:-2]
"""At kinks the steps have a floor: what it does not let a run reach is not asked for."""
TINY = (1e-2, 1e-3)

TIGHTER, KINKED_TIGHTER = 0.01, 0.3
"""Tolerance of the reference, as a share of the tightest one tried: hundreds of times tighter
than what reaches the levels above. With the second go steps of a third of the usual floor."""

FEATURE_LAZY = (1e-1, 1e-2, 1e-3, 1e-4)
METHODS: dict[str, type[Stepper]] = {"Chebyshev": Chebyshev, "Dormand–Prince": DormandPrince}
PARTS = ("precision", "crossing")


def systems(size: str) -> list[System]:
    """Return tanh at three α and ReLU at three τ."""
    shape = {"dim": 100, "n_train": 1000, "width": 50}
    alphas, taus = (1.0, 10.0, 100.0), (0.1, 1.0, 10.0)
    if size == "tiny":
        shape, alphas, taus = {"dim": 5, "n_train": 20, "width": 10}, (10.0,), (1.0,)
    found = [relu(tau, **shape) for tau in taus]
    share = found[0].rate * found[0].step
    return [*(tanh(alpha, share, **shape) for alpha in alphas), *found]


def reference(
    system: System, tolerances: Sequence[float], marks: np.ndarray
) -> tuple[Curve, float]:
    """Return the curve that errors are taken against, and what it is good to: its difference,
    in what is compared, to one ten times as loose."""
    tight = (TIGHTER if system.smooth else KINKED_TIGHTER) * min(tolerances)
    loose, found = runge_kutta(system, Chebyshev, (COARSENESS * tight, tight), marks)
    return found, compared(system, loose.errors(found))


def compared(system: System, errors: Errors) -> float:
    """Return the error that counts: of the gap, at kinks of ‖w − w0‖."""
    return errors.gap if system.smooth else errors.displacement


# ── the parts ────────────────────────────────────────────────────────────────────────────
def precision(size: str, steps: Sequence[int]) -> Iterator[Said]:
    """Compare the methods on each system, to each T."""
    for system, count in itertools.product(systems(size), steps):
        yield from one_precision(system, count, sweep(system, size))


def sweep(system: System, size: str) -> tuple[float, ...]:
    """Return the tolerances tried."""
    if size == "tiny":
        return TINY
    return TOLERANCES if system.smooth else KINKED


def one_precision(system: System, steps: int, tolerances: Sequence[float]) -> Iterator[Said]:
    """Yield the work and the precision of every method on one system up to one T."""
    marks = np.unique(np.rint(np.geomspace(max(1, steps // 1000), steps, 16))) * system.step
    wanted, good_to = reference(system, tolerances, marks)
    chosen = "Chebyshev" if is_stiff(system.problem, float(marks[-1])) else "Dormand–Prince"
    curves: dict[tuple[str, str], Curve] = {}
    for name, method in METHODS.items():
        # The other one is bound by stability: at any tolerance it takes about as many, and at
        # kinks, by its floor, a hundred times as many at the tightest.
        few = [t for t in tolerances if t == 1e-1 or (steps <= 1_000 and t >= 1e-2)]
        tried = tolerances if name == chosen else few
        found = runge_kutta(system, method, tried, marks)
        curves |= {(name, f"tolerance {t:g}"): c for t, c in zip(tried, found, strict=True)}
    for epsilon in FEATURE_LAZY if steps <= 1_000 else FEATURE_LAZY[1:3]:
        rule = feature_lazy(system, epsilon, marks, limit=(10 if steps <= 1_000 else 2) * steps)
        curves["feature_lazy's rule", f"ε_∇ {epsilon:g}"] = rule
    curves["Euler", "the authors' step"] = euler(system, system.step, marks)
    level, which = (GAP_LEVEL, "gap") if system.smooth else (DISPLACEMENT_LEVEL, "displacement")
    errors = {name: curve.errors(wanted) for name, curve in curves.items()}
    rows = [(*name, curve.gradients, *errors[name]) for name, curve in curves.items()]
    yield Table(
        f"{system.name}, T of {steps:,} of the authors' steps: λ_max·T = "
        f"{system.rate * float(marks[-1]):.0f}, λ_max·η = {system.rate * system.step:.2f}",
        ("method", "setting", "gradients", "error of gap", "of ‖w − w0‖", "of w − w0"),
        rows,
        f"reference good to {good_to:.0e} in the {which}; ours takes {chosen}",
    )
    at_equal = {}
    for method in dict.fromkeys(method for method, _ in curves):
        own = [name for name in curves if name[0] == method]
        of = [compared(system, errors[name]) for name in own]
        at_equal[method] = at_level(of, [curves[name].gradients for name in own], level)
    yield Table(
        f"gradients at {level:.0%} of the {which}",
        ("method", "gradients", "Euler at the authors' step takes"),
        [(name, count, f"{steps / count:.3g}×") for name, count in at_equal.items()],
    )
    yield users_run(curves, chosen, steps)
    if steps in BARS:
        what = f"{system.name}, {steps:,} steps: Euler's gradients over ours"
        yield Bar(what, steps / at_equal[chosen], BARS[steps])


def users_run(curves: Mapping[tuple[str, str], Curve], chosen: str, steps: int) -> str:
    """Say what a run at the default tolerance takes: its fine path, and the coarse one by which
    it knows its error."""
    tolerances = (DEFAULT_TOLERANCE, COARSENESS * DEFAULT_TOLERANCE)
    fine, coarse = (curves[chosen, f"tolerance {t:g}"].gradients for t in tolerances)
    both = fine + coarse
    return (
        f"    a run at the default tolerance ({chosen}): {fine:,} gradients on the path shown "
        f"({steps / fine:.2g}× fewer), {both:,} with the coarse path ({steps / both:.2g}×)\n"
    )


def crossing(size: str) -> Iterator[Said]:
    """Find the stiffness from which on the stabilised method takes fewer gradients."""
    shape = {"dim": 20, "n_train": 200, "width": 50}
    stiffness = (10.0, 30.0, 100.0, 300.0, 1000.0)
    if size == "tiny":
        shape, stiffness = {"dim": 5, "n_train": 20, "width": 10}, (2.0, 4.0)
    for system, levels in (
        (tanh(10.0, 1.0, **shape), (0.1, 0.01, 0.001)),
        (relu(1.0, **shape), (0.1, 0.03, 0.01)),
    ):
        ends = np.array(stiffness) / system.rate
        counts: dict[float, list[tuple[float, float]]] = {level: [] for level in levels}
        for end in ends:
            marks = np.geomspace(1e-2, 1.0, 12) * end
            wanted, _ = reference(system, sweep(system, size), marks)
            curves = {
                m: runge_kutta(system, method, sweep(system, size), marks)
                for m, method in METHODS.items()
            }
            for level in levels:
                rkc, pair = (_at(curves[name], wanted, level) for name in METHODS)
                counts[level].append((rkc, pair))
        for level, pairs in counts.items():
            ratios = [b / a for a, b in pairs]
            rows = [
                (f"{at:g}", *pair, quotient)
                for at, pair, quotient in zip(stiffness, pairs, ratios, strict=True)
            ]
            yield Table(
                f"{system.name}: gradients at an error of {level:g} of the gap",
                ("λ_max·T", *METHODS, "Dormand–Prince / Chebyshev"),
                rows,
                f"they cross {crossed(stiffness, ratios)}; STIFF is {STIFF:g}",
            )


def _at(curves: Sequence[Curve], wanted: Curve, level: float) -> float:
    errors = [curve.errors(wanted).gap for curve in curves]
    return at_level(errors, [curve.gradients for curve in curves], level)


def crossed(at: Sequence[float], ratios: Sequence[float]) -> str:
    """Say where the ratio passes 1 on its way up, on straight lines in logarithms."""
    known = [(np.log(a), np.log(r)) for a, r in zip(at, ratios, strict=True) if r == r]
    for (a, r), (b, q) in itertools.pairwise(known):
        if r < 0.0 <= q:
            return f"at λ_max·T = {np.exp(a - r * (b - a) / (q - r)):.0f}"
    if not known:
        return "nowhere: one of them does not reach the error"
    return "below all of these" if known[0][1] >= 0.0 else "above all of these"


def measure(
    size: str = "full", parts: Sequence[str] = PARTS, steps: Sequence[int] = tuple(BARS)
) -> Iterator[Said]:
    """Yield the tables and bars of these parts; `steps` of the authors' make T."""
    torch.set_num_threads(1)
    if "precision" in parts:
        yield from precision(size, steps if size == "full" else (10,))
    if "crossing" in parts:
        yield from crossing(size)


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--steps", nargs="+", type=int, default=tuple(BARS))
    given = parser.parse_args()
    return conclude(say(measure(given.size, given.part, given.steps)), given.check)


if __name__ == "__main__":
    raise SystemExit(main())
