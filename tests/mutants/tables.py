"""What is broken on purpose, which tests ought to notice, and what may stay unnoticed, and why."""

from collections.abc import Iterator
from pathlib import Path

SHARE = 0.03
"""Of the sites in the core, how many are tried beside `BY_HAND`."""

BY_HAND = (
    # The six that lived.
    ("papers/lazy_training/theorems/theorem_2_4.py", "* time / 4.0)", "* time / 2.0)"),
    ("engine/networks/dense.py", ".abs().max()) + radius", ".abs().max())"),
    ("config/refreshing.py", "(number / count) ** 2", "(number / count)"),
    ("engine/refreshed/stages.py", "stability=step_size * curvature", "stability=used * curvature"),
    ("engine/problem/targets.py", "np.median(sample.y_train)", "np.mean(sample.y_train)"),
    (
        "config/moments.py",
        "spaced = np.geomspace(max(1.0, steps",
        "spaced = np.linspace(max(1.0, steps",
    ),
    # Bounds, thresholds and what is predicted.
    ("papers/lazy_training/theorems/theorem_2_4.py", "8.0 * kappa**1.5", "8.0 * kappa"),
    ("papers/lazy_training/theorems/theorem_2_4.py", "sigma**3 / (32.0", "sigma**3 / (16.0"),
    (
        "papers/lazy_training/theorems/theorem_2_4.py",
        "start <= limit, known.alpha > least",
        "start <= least, True",
    ),
    (
        "papers/lazy_training/theorems/theorem_2_3.py",
        "4.0 * time * lip**2 / 3.0",
        "4.0 * time * lip / 3.0",
    ),
    (
        "papers/lazy_training/theorems/theorem_2_5.py",
        "np.exp(-(sigma**2) * time)",
        "np.exp(-sigma * time)",
    ),
    ("papers/lazy_training/theorems/_constants.py", "np.maximum.accumulate(", "np.abs("),
    ("theory/lazy.py", "-2.0 if zero_output ==", "-1.0 if zero_output =="),
    ("engine/measures/kappa.py", "/ squared / problem.alpha", "/ squared**0.5 / problem.alpha"),
    ("activations/tanh.py", "(3.0 * 3.0**0.5)", "(3.0 * 3.0)"),
    ("activations/swish.py", "STEEPEST = 1.0998", "STEEPEST = 1.1998"),
    # What is said of a run.
    ("results/quantities/thresholds.py", "LAZY_GAP = 0.05", "LAZY_GAP = 0.06"),
    ("results/quantities/thresholds.py", "RICH_KERNEL_CHANGE = 1.0", "RICH_KERNEL_CHANGE = 1.1"),
    ("engine/measures/labels.py", "(y * f <= 0.0)", "(y * f < 0.0)"),
    ("engine/measures/labels.py", "(y * f).amin((-2, -1))", "(y * f).mean((-2, -1))"),
    (
        "engine/measures/stability.py",
        "shares = [((z > 0.0) == sign)",
        "shares = [((z >= 0.0) == sign)",
    ),
    ("engine/features/kernel.py", "* y.square().sum()", "* y.square().sum().sqrt()"),
    # Scales and conventions.
    (
        "engine/networks/dense.py",
        "1.0 / full_width if scaling",
        "1.0 / full_width**0.75 if scaling",
    ),
    ("losses/logistic.py", '"curvature": 0.25', '"curvature": 0.5'),
    ("losses/cross_entropy.py", '"curvature": 0.5', '"curvature": 0.25'),
    ("losses/weighted_square.py", "LARGEST = 4.0", "LARGEST = 2.0"),
    ("engine/problem/targets.py", "(y_train > middle)", "(y_train >= middle)"),
    ("dynamics/sgd.py", "decay * (done // epoch)", "decay * done"),
    ("engine/paths/augmentation.py", "MARGIN = 4.0 / 32.0", "MARGIN = 3.0 / 32.0"),
    # Statistics over seeds and scales.
    ("theory/bootstrap.py", "LEVEL = 0.95", "LEVEL = 0.9"),
    ("papers/feature_lazy/phases/fluctuations.py", "(total - 1.0)", "total"),
    ("papers/feature_lazy/phases/fluctuations.py", "(0.1, 0.9)", "(0.25, 0.75)"),
    ("papers/feature_lazy/phases/crossover.py", "RATIO = 1.25", "RATIO = 1.5"),
    (
        "papers/feature_lazy/phases/collapse.py",
        "-2.0 * depth / (depth + 1.0)",
        "-2.0 / (depth + 1.0)",
    ),
)
"""File of lazycore, text that is there once, what stands there instead."""

CORE: dict[str, str] = {
    "theory/lazy.py": "bootstrap theorem_bounds theory",
    "results/verdict.py": "verdict",
    "results/quantities/thresholds.py": "verdict",
    "results/quantities/reductions.py": "quantities",
    "papers/lazy_training/theorems/[!_]*.py": "theorem_bounds theorems",
    "papers/theorem.py": "theorem_bounds theorems",
    "papers/lazy_training/theorems/_constants.py": "theorem_bounds theorems",
    "losses/*.py": "losses",
    "activations/*.py": "activations second_derivatives dense",
    "engine/networks/dense.py": "second_derivatives dense",
    "engine/networks/displaced.py": "anchor",
    "engine/networks/symmetrized.py": "second_derivatives dense",
    "engine/networks/one_hidden_layer.py": "second_derivatives metrics",
    "theory/filters.py": "filters",
    "engine/problem/anchor.py": "anchor tied",
    "engine/features/layers.py": "layers",
    "engine/features/linearize.py": "linearize layers",
    "engine/features/features.py": "linearize layers",
    "engine/features/products.py": "products",
    "engine/refreshed/restart.py": "refreshed_stages",
    "engine/features/kernel.py": "kernel",
    "engine/problem/problem.py": "problem",
    "engine/problem/norms.py": "problem",
    "config/refreshing.py": "stages",
    "config/moments.py": "moments",
    "engine/problem/targets.py": "targets",
    "engine/paths/augmentation.py": "augmentation",
    "theory/bootstrap.py": "bootstrap phases",
    "engine/measures/kappa.py": "second_derivatives metrics",
    "engine/measures/constants.py": "constants",
    "engine/measures/labels.py": "labels",
    "engine/measures/spectrum.py": "spectrum",
    "engine/measures/metrics.py": "metrics",
    "engine/measures/columns.py": "problem labels",
    "engine/measures/stability.py": "stability",
    "engine/measures/frozen_kernel.py": "frozen_kernel",
    "engine/linear/closed_form.py": "filters tied lanczos",
    "engine/linear/lanczos.py": "lanczos",
    "engine/paths/descent.py": "sgd refreshed",
    "dynamics/sgd.py": "sgd margins",
    "dynamics/population.py": "population",
    "engine/refreshed/epochs.py": "refreshed_stages refreshed",
    "engine/refreshed/stages.py": "refreshed_stages refreshed",
    "engine/steppers/pair.py": "pair",
    "engine/steppers/dormand_prince.py": "integrators",
    "engine/steppers/chebyshev.py": "integrators",
    "papers/feature_lazy/phases/[cfg]*.py": "phases",
}
"""Files of the core, and the names of the tests that mirror them, the quickest first."""

TOO_SLOW = (
    *("theorem_2_2_a_centred", "explicit_bound_of_theorem_2_2", "bounds_the_measured_gap"),
    *("symmetrised_model_falls", "kappa_falls_with_the_width", "without_a_zero_start"),
    *("constants_of_the_line", "independent_maximisation", "exponents_over_alpha_are"),
    *("stays_below_every_bound", "theorem_2_4_holds", "theorems_need_no_torch", "figure_eight"),
    *("has_no_twin", "paired_neurons_fail", "every_hypothesis_is_decided"),
    *("holds_everywhere_on_the_ball", "the_fast_claims_hold", "five_thousand_points"),
)
"""Words in the names of tests that are left out: whole runs of seconds, which see large factors."""

ROUTES = {
    ("lazycore/engine/refreshed/epochs.py", "_is_short"),
    ("lazycore/engine/features/layers.py", "Layer.costs"),
}
"""File and function of what decides how a number is found, not which number it is."""

EXPLAINED = {
    (
        "lazycore/engine/linear/lanczos.py",
        "return Spectrum(values, self.norm * turned[0], "
        "beta * turned[-1] / max(self.norm, 1e-300))",
        "return Spectrum(values, self.norm * turned[0], "
        "beta * turned[-1] / max(self.norm, 2e-300))",
    ): "against a division by zero, of a gradient that is 0",
    (
        "lazycore/engine/linear/closed_form.py",
        "if size > min(LARGEST_FORMED, 2 * problem.w0.numel()):",
        "if size > min(LARGEST_FORMED, (problem.w0.numel())):",
    ): "which of two products with the kernel is the cheaper: both are the same numbers",
    (
        "lazycore/engine/features/layers.py",
        "column = 2 * count * self.signals.shape[1] * self.inputs.shape[2] * total.element_size()",
        "column = (total.element_size())",
    ): "how many columns are formed at once: memory, not numbers",
    (
        "lazycore/engine/problem/anchor.py",
        "if value == 0.0 or abs(value - previous) <= 1e-10 * value:",
        "if value == 0.0 and abs(value - previous) <= 1e-10 * value:",
    ): "when a power iteration has ended: the same number after more products",
    (
        "lazycore/engine/networks/one_hidden_layer.py",
        "if value <= best * (1.0 + 1e-9):",
        "if value <= best * (1.0 + 2e-09):",
    ): "when a climb has ended, nine digits after it has",
}
"""File, line before and line after, and why no test can or need notice."""


def core(root: Path) -> list[str]:
    """Return the files of the core."""
    found = {p for pattern in CORE for p in (root / "lazycore").glob(pattern)}
    return sorted(p.relative_to(root).as_posix() for p in found)


def tests_of(path: str) -> Iterator[str]:
    """Yield the arguments of pytest for the tests that mirror this file of the core."""
    inner = Path(path).relative_to("lazycore")
    names = next(names for pattern, names in CORE.items() if inner.match(pattern))
    yield from (f"tests/test_{name}.py" for name in names.split())
    if TOO_SLOW:
        yield from ("-k", f"not ({' or '.join(TOO_SLOW)})")
