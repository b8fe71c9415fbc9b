"""What the oracles of iterative linearisation share: a small problem, and its path in plain steps.

Goldwaser & Ge (2022, arXiv:2211.12345).
"""

import numpy as np

from lazycore.config.run import RunConfig
from lazycore.papers.claim import Row

SOURCE = "Goldwaser & Ge 2022"
ALLOWED = 1e-10

_SMALL = {
    **{"task": "sine", "n_train": 15, "n_test": 10, "width": 12, "activation": "tanh"},
    **{"dynamics": "gd", "alpha": 2.0},
}


def path(at: list[int], **fields):
    """Return a small problem, its η, and the third path after each of these steps."""
    import torch

    from lazycore.engine.problem.problem import build_problem, default_step_size
    from lazycore.engine.refreshed.epochs import refreshed_path

    values = RunConfig.from_dict(_SMALL | fields).resolve().to_dict()
    problem = build_problem(values, torch.device("cpu"))
    values["step_size"] = default_step_size(problem)
    states = [state for state in refreshed_path(problem, values, np.array(at)) if state]
    return problem, values["step_size"], states


def jacobian(problem, v, x):
    """Return J (n·k, p) at w0 + v/α by reverse-mode differentiation, row by row."""
    import torch

    return torch.func.jacrev(lambda w: problem.network(w, x))(problem.train.weights(v)).flatten(
        0, 1
    )


def outputs(problem, v, points):
    """Return the change of αh at w0 + v/α, by two passes of the network, flat."""
    change = problem.network(points.weights(v), points.x) - problem.network(points.w0, points.x)
    return problem.alpha * change.reshape(-1)


def stepped(problem, eta: float, v, steps: int):
    """Return u after so many steps on the linear model at v, by plain products with J."""
    import torch

    features, y = jacobian(problem, v, problem.train.x), problem.targets.reshape(-1)
    start, u = outputs(problem, v, problem.train), torch.zeros_like(v)
    for _ in range(steps):
        u = u - eta * features.T @ (start + features @ u - y) / len(y)
    return u


def row(claim: str, difference) -> Row:
    """Return the row on the largest entry of a difference, which is to be rounding."""
    error = float(difference.abs().max())
    return Row(f"{claim}, against plain steps", f"{error:.1e}", f"≤ {ALLOWED:g}", error <= ALLOWED)
