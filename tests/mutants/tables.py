"""What is broken on purpose, which tests ought to notice, and what may stay unnoticed, and why."""

from pathlib import Path

SHARE = 0.02

BY_HAND = (
    (
        "lazycore/theorems/theorem_2_4.py",
        "np.exp(-convexity * sigma**2 * time / 4.0)",
        "np.exp(-convexity * sigma**2 * time / 2.0)",
    ),
)

CORE: dict[str, str] = {
    "theory.py": "bootstrap theorem_bounds theory theorems",
    "verdict.py": "verdict",
    "theorems/*.py": "theorem_bounds theorems theorem_figures",
    "losses/*.py": "losses",
    "activations/*.py": "activations",
    "networks/dense.py": "dense",
    "networks/displaced.py": "dense",
    "networks/symmetrized.py": "dense",
    "networks/one_hidden_layer.py": "dense theorems",
    "tangent/filters.py": "refreshed",
    "tangent/kernel.py": "kernel",
    "problem.py": "dense training",
    "stages.py": "stages refreshed",
    "moments.py": "moments",
    "targets.py": "targets",
    "augmentation.py": "augmentation sgd",
    "bootstrap.py": "bootstrap",
    "measures/kappa.py": "metrics theorems",
    "measures/constants.py": "constants",
    "measures/labels.py": "labels",
    "measures/spectrum.py": "spectrum",
    "measures/columns.py": "metrics",
    "measures/stability.py": "metrics gates",
    "measures/frozen_kernel.py": "frozen_kernel",
    "dynamics/_closed_form.py": "lanczos",
    "dynamics/_lanczos.py": "lanczos",
    "dynamics/_descent.py": "sgd refreshed",
    "dynamics/sgd.py": "sgd",
    "dynamics/population.py": "population",
    "dynamics/_refreshed.py": "refreshed",
    "dynamics/_stages.py": "refreshed",
    "dynamics/_pair.py": "pair",
    "dynamics/_dormand_prince.py": "integrators",
    "dynamics/_chebyshev.py": "integrators",
    "phases/*.py": "phases",
}
"""Files of the core, and the names of the tests that mirror them, the quickest first."""

ROUTES: frozenset[tuple[str, str]] = frozenset()
EXPLAINED: dict[tuple[str, str, str], str] = {}


def core(root: Path) -> list[str]:
    """Return the files of the core."""
    found = {p for pattern in CORE for p in (root / "lazycore").glob(pattern)}
    return sorted(p.relative_to(root).as_posix() for p in found)


def tests_of(path: str) -> list[str]:
    """Return the test files that mirror this file of the core."""
    inner = Path(path).relative_to("lazycore")
    names = next(names for pattern, names in CORE.items() if inner.match(pattern))
    return [f"tests/test_{name}.py" for name in names.split()]
