"""The setting of Geiger, Spigler, Jacot & Wyart (2020, arXiv:1906.08034), and what holds at t = 0.

Their claims are checked in a small setting: parity of 100 digits, fully connected networks of two
hidden layers, softplus of unit gain, soft hinge, gradient flow up to the margins. Scales are given
as √h α, the combination in which the regimes meet at every width h.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.papers.claim import Check, Row
from lazycore.results.run import RunResult
from lazycore.theory.lazy import slope

SOURCE = "Geiger, Spigler, Jacot & Wyart 2020 (arXiv:1906.08034)"

CONSTANTS = {
    ("softplus", 5.0): 1.40438,
    ("softplus", 1.0): 1.04187,
    ("swish", 1.0): 1.67653,
    ("swish", 10.0): 1.41595,
    ("tanh", None): 1.59254,
    ("relu", None): 1.41421,
}
"""Factors that make E (s σ(z))² = 1, by quadrature elsewhere."""

WIDTHS = (50, 100, 200, 400, 800, 1600)
SEEDS = range(6)


def setting(scale: float, **fields: Any) -> RunConfig:
    """Return the run at √h α = `scale`, with these other fields."""
    values: dict[str, Any] = {
        "task": "digits",
        "n_train": 100,
        "n_test": 0,
        "model": "fully_connected",
        "depth": 2,
        "width": 100,
        "activation": "softplus",
        "activation_gain": "unit",
        "loss": "soft_hinge",
        "stop": "margins",
        "tolerance": 0.05,
        "data_seed": 0,
        "init_seed": 0,
        "alpha": scale / fields.get("width", 100) ** 0.5,
    }
    return RunConfig.from_dict(values | fields)


def at_end(result: RunResult, name: str) -> float:
    """Return the last value of a series that there is: at the end of the model it is of."""
    values = result.series[name]
    return float(values[np.isfinite(values)][-1])


def within(found: float, low: float, high: float) -> bool:
    """Return whether low ≤ found ≤ high; never for NaN."""
    return bool(low <= found <= high)


def _problem(**fields: Any) -> Any:
    import torch

    from lazycore.engine.problem.problem import build_problem

    config = setting(1.0, **fields)
    return build_problem(config.resolve().to_dict(), torch.device("cpu"))


def _gains(results: Mapping[str, RunResult]) -> list[Row]:
    from lazycore.engine.networks.dense import unit_gain

    rows = []
    for (name, beta), known in CONSTANTS.items():
        found = unit_gain(spec.find("activation", name), {"activation_beta": beta})
        claim = f"unit gain of {name}" + (f", β = {beta:g}" if beta else "")
        rows.append(Row(claim, f"{found:.5f}", f"{known} ± 1e-4", abs(found - known) <= 1e-4))
    return rows


def _kernel(results: Mapping[str, RunResult]) -> list[Row]:
    import torch

    problem = _problem(n_train=6, depth=3)
    network, x = problem.network, problem.train.x
    closed = network.features(problem.w0, x).kernel().reshape(6, 6)
    jacobian = torch.func.jacrev(lambda w: network(w, x)[:, 0])(problem.w0)
    error = float((closed - jacobian @ jacobian.T).abs().max() / closed.abs().max())
    claim = "the tangent kernel, layer by layer, against J Jᵀ (6 points, L = 3)"
    return [Row(claim, f"{error:.1e}", "< 1e-10", error < 1e-10)]


def _fluctuation(results: Mapping[str, RunResult]) -> list[Row]:
    import torch

    spread = []
    for width in WIDTHS:
        kernels = torch.stack(
            [_problem(width=width, init_seed=s).train.anchor.kernel for s in SEEDS]
        )
        mean = kernels.mean(0)
        apart = (kernels - mean).square().sum((1, 2)).mean().sqrt()
        spread.append(float(apart / torch.linalg.matrix_norm(mean)))
    found, low, high = slope(WIDTHS, spread)
    said = f"{found:.3f} ({low:.2f} to {high:.2f})"
    claim = "fluctuation of the initial kernel over 6 draws against h"
    return [Row(claim, said, "-0.5 ± 0.1", within(found, -0.6, -0.4))]


def _first_moves(results: Mapping[str, RunResult]) -> list[Row]:
    """Judge the speed of the inputs of hidden units at t = 0, by a central difference."""
    import torch

    rows, speeds = [], []
    for width in WIDTHS:
        squares = []
        for seed in SEEDS:
            problem = _problem(width=width, depth=3, init_seed=seed)
            everything = torch.arange(len(problem.train))
            g = problem.gradient(torch.zeros_like(problem.w0), everything)
            g = 1e-4 * g / torch.linalg.vector_norm(g), torch.linalg.vector_norm(g) / 2e-4
            ahead, behind = (
                problem.network.observe(problem.w0 + sign * g[0], problem.train.x)[1]
                for sign in (1.0, -1.0)
            )
            pairs = zip(ahead, behind, strict=True)
            squares.append([float(((a - b) * g[1]).square().mean()) for a, b in pairs])
        speeds.append(np.sqrt(np.mean(squares, axis=0)))
    for layer, column in enumerate(np.array(speeds).T, start=1):
        found = slope(WIDTHS, column.tolist())[0]
        claim = f"speed of the inputs of layer {layer} at t = 0 against h (L = 3)"
        rows.append(Row(claim, f"{found:.3f}", "-0.5 ± 0.08", within(found, -0.58, -0.42)))
    return rows


CHECKS = tuple(
    Check(name=f"feature-lazy-{name}", source=SOURCE, judge=judge)
    for name, judge in (
        ("gains", _gains),
        ("kernel", _kernel),
        ("fluctuation", _fluctuation),
        ("first-moves", _first_moves),
    )
)
