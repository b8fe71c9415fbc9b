"""Fast forms against slow, obvious ones: the kernel, and every way the tangent model trains."""

from collections.abc import Mapping

from lazycore.config.run import RunConfig
from lazycore.papers.claim import Check, Row
from lazycore.results.run import RunResult

ALLOWED = 1e-10
NETWORKS = {
    "two layers": RunConfig(n_train=15, width=12, dim=4),
    "four layers, biases, ten classes": RunConfig(
        task="digits",
        labels="ten",
        n_train=8,
        n_test=0,
        model="fully_connected",
        depth=3,
        width=10,
        bias="normal",
        activation="tanh",
    ),
    "symmetrised, softplus": RunConfig(
        task="circles",
        n_train=15,
        width=12,
        zero_output="symmetrized",
        activation="softplus",
    ),
}


def _problem(config: RunConfig):
    import torch

    from lazycore.engine.problem.problem import build_problem

    return build_problem(config.resolve().to_dict(), torch.device("cpu"))


def _jacobian(problem):
    """Return J (n·k, p) by reverse-mode differentiation, row by row."""
    import torch

    jacobian = torch.func.jacrev(lambda w: problem.network(w, problem.train.x))(problem.w0)
    return jacobian.flatten(0, 1)


def _kernels(results: Mapping[str, RunResult]) -> list[Row]:
    from lazycore.engine.features.kernel import relative_change, tangent_kernel

    rows = []
    for name, config in NETWORKS.items():
        problem = _problem(config)
        explicit = _jacobian(problem) @ _jacobian(problem).T
        error = relative_change(tangent_kernel(problem.train.features), explicit)
        rows.append(_row(f"tangent kernel by structure, {name}", error))
    return rows


def _descent(results: Mapping[str, RunResult]) -> list[Row]:
    """The linearised model after 300 steps, against plain products with J."""
    import torch

    from lazycore.dynamics import trajectory
    from lazycore.engine.problem.norms import rms
    from lazycore.engine.problem.problem import default_step_size

    rows = []
    for loss, momentum in (("square", 0.0), ("square", 0.9), ("logistic", 0.0)):
        config = RunConfig(n_train=15, width=12, dim=4, loss=loss, dynamics="gd", steps=300)
        problem = _problem(config)
        eta, jacobian = default_step_size(problem), _jacobian(problem)
        values = config.resolve().to_dict() | {"step_size": eta, "momentum": momentum}
        *_, last = trajectory(problem, values)
        assert last.linearized is not None
        v = velocity = torch.zeros_like(problem.w0)
        for _ in range(300):
            outputs = problem.train.start + (jacobian @ v).view_as(problem.train.start)
            velocity = momentum * velocity + jacobian.T @ problem.residual(outputs).reshape(-1)
            v = v - eta * velocity
        error = float(rms((v - last.linearized)[:, None])) / float(rms(v[:, None]))
        rows.append(_row(f"300 linearised steps, {loss}, momentum {momentum:g}", error))
    return rows


def _flow(results: Mapping[str, RunResult]) -> list[Row]:
    """The closed form of the flow, against the exponential of the whole system's matrix."""
    import numpy as np
    import torch

    from lazycore.engine.linear.closed_form import closed_form, flow_filters
    from lazycore.engine.linear.tangent import tangent_space
    from lazycore.engine.problem.norms import rms
    from lazycore.engine.problem.problem import default_time

    problem = _problem(RunConfig(n_train=15, width=12, dim=4))
    time, jacobian, n = default_time(problem), _jacobian(problem), len(problem.train)
    b = jacobian.T @ problem.residual(problem.train.start).reshape(-1)
    size = len(b)
    system = torch.zeros((size + 1, size + 1), dtype=torch.float64)
    system[:size, :size], system[:size, size] = -jacobian.T @ jacobian / n, -b
    v = torch.linalg.matrix_exp(time * system)[:size, size]
    space = tangent_space(problem)
    solution = closed_form(space)
    assert solution is not None
    s = solution.coordinates(flow_filters(solution.eigenvalues, np.array([time])))[0]
    error = float(rms((space.parameters(s) - v)[:, None])) / float(rms(v[:, None]))
    return [_row("closed form of the linearised flow", error)]


def _row(claim: str, error: float) -> Row:
    return Row(f"{claim}: against its oracle", f"{error:.1e}", f"≤ {ALLOWED:g}", error <= ALLOWED)


CHECKS = (
    Check(name="kernels", source="explicit Jacobian", judge=_kernels),
    Check(name="linearised-descent", source="explicit Jacobian", judge=_descent),
    Check(name="linearised-flow", source="matrix exponential", judge=_flow),
)
