"""The stages of iterative linearisation and what is noted of them, by explicit Jacobians."""

import numpy as np
import pytest
import torch

from lazycore.config.run import RunConfig
from lazycore.engine.problem.problem import build_problem
from lazycore.engine.refreshed import stages as _stages
from lazycore.engine.refreshed.epochs import refreshed_path

CPU = torch.device("cpu")
SMALL = {
    **{"task": "sine", "n_train": 12, "n_test": 9, "width": 10, "activation": "tanh"},
    **{"dynamics": "gd", "steps": 120, "alpha": 2.0},
}


def kernel_of(size, seed=0):
    rows = torch.randn(size, 9, generator=torch.Generator().manual_seed(seed)).double()
    return rows @ rows.T


@pytest.mark.parametrize("loss", ["logistic", "square", "weighted_square"])
def test_the_damped_step_solves_the_damped_newton_equations(loss):
    config = RunConfig(**SMALL, loss=loss, refresh_every=40, refresh_solver="levenberg_marquardt")
    values = config.resolve().to_dict() | {"step_size": 0.3}
    problem = build_problem(values, CPU)
    first, second = refreshed_path(problem, values, np.array([40, 80]))
    v = torch.zeros_like(problem.w0)
    for state in (first, second):
        w, x, y = problem.train.weights(v), problem.train.x, problem.targets
        jacobian = torch.func.jacrev(lambda w, x=x: problem.network(w, x))(w).flatten(0, 1)
        h0 = problem.network(problem.w0, x)

        def risk(f, y=y):
            return problem.loss.per_point(f.view_as(y), y).mean()

        f = problem.alpha * (problem.network(w, x) - h0).reshape(-1)
        slope, bend = torch.func.grad(risk)(f), torch.func.hessian(risk)(f)
        damped = jacobian.T @ bend @ jacobian + torch.eye(len(v)) / (0.3 * 40)
        v = v - torch.linalg.solve(damped, jacobian.T @ slope)
        assert torch.allclose(state.v, v, atol=1e-9)


def test_within_a_stage_the_linear_model_is_read_and_the_network_at_its_ends():
    config = RunConfig(**SMALL, refresh_every=30)
    values = config.resolve().to_dict() | {"step_size": 1.0}
    problem = build_problem(values, CPU)
    at = np.array([0, 29, 30, 31, 120])
    states = list(refreshed_path(problem, values, at))
    differences = []
    for state in states:
        network = problem.train.outputs(state.v) - problem.train.start
        differences.append(float((state.train - network).abs().max()))
    assert differences[0] == differences[2] == differences[4] == 0.0
    assert differences[1] > 1e-6 and differences[3] > 1e-9


def test_what_is_noted_of_a_stage_is_that_of_an_explicit_kernel():
    config = RunConfig(**SMALL, refresh_every=40)
    values = config.resolve().to_dict() | {"step_size": 0.7}
    problem = build_problem(values, CPU)
    states = list(refreshed_path(problem, values, np.array([0, 40, 80, 120])))
    noted = states[-1].stages
    assert [stage.step for stage in noted] == [0, 40, 80]
    assert [stage.time for stage in noted] == pytest.approx([0.0, 28.0, 56.0])

    def kernel(v):
        w, x = problem.train.weights(v), problem.train.x
        jacobian = torch.func.jacrev(lambda w: problem.network(w, x))(w).flatten(0, 1)
        return jacobian @ jacobian.T / len(x)

    initial = kernel(states[0].v)
    for stage, state in zip(noted, states, strict=False):
        here = kernel(state.v)
        values = torch.linalg.eigvalsh(here).flip(0).clamp(min=0.0)
        assert stage.stability == pytest.approx(0.7 * float(values[0]), rel=1e-9)
        cosine = float((here * initial).sum() / here.norm() / initial.norm())
        assert stage.distance == pytest.approx(1.0 - cosine, abs=1e-12)
        assert stage.eigenvalues == pytest.approx(values.numpy(), abs=1e-12)


def test_the_stability_of_a_capped_stage_is_that_of_the_step_that_was_asked_for():
    """Five times too long a step: 5 at the start, and η λ_max of an explicit kernel later on;
    the step that is taken instead is 1/λ_max."""
    config = RunConfig(**SMALL, refresh_every=40, refresh_cap="stable")
    problem = build_problem(config.resolve().to_dict(), CPU)
    asked = 5.0 / problem.largest_eigenvalue
    values = config.resolve().to_dict() | {"step_size": asked}
    states = list(refreshed_path(problem, values, np.array([0, 40, 80, 120])))
    noted = states[-1].stages
    assert noted[0].stability == pytest.approx(5.0, rel=1e-6)
    for stage, state in zip(noted, states, strict=False):
        w, x = problem.train.weights(state.v), problem.train.x
        jacobian = torch.func.jacrev(lambda w, x=x: problem.network(w, x))(w).flatten(0, 1)
        largest = float(torch.linalg.matrix_norm(jacobian, 2)) ** 2 / len(x)
        assert stage.stability == pytest.approx(asked * largest, rel=1e-6)
        assert stage.step_size == pytest.approx(min(asked, 1.0 / largest), rel=1e-6)
        assert stage.time == pytest.approx(stage.step * asked)


@pytest.mark.parametrize("formed", [True, False])
def test_lambda_max_by_products_is_that_of_all_eigenvalues(monkeypatch, formed):
    """By products with the kernel where it is formed, else with the features."""
    values = RunConfig(**SMALL, refresh_every=40).resolve().to_dict() | {"step_size": 1.0}
    stages = _stages.Stages(build_problem(values, CPU), values)
    exact = stages._largest_eigenvalue()
    kernel = stages.problem.train.anchor.kernel
    assert exact == pytest.approx(float(torch.linalg.matrix_norm(kernel, 2)) / 12, rel=1e-9)
    monkeypatch.setattr(_stages, "ALL_EIGENVALUES", 0)
    monkeypatch.setattr(_stages, "LARGEST_KERNEL", 12 if formed else 0)
    assert stages._largest_eigenvalue() == pytest.approx(exact, rel=1e-4)


def test_a_path_has_diverged_at_a_million_times_its_first_loss():
    values = RunConfig(**SMALL, refresh_every=40).resolve().to_dict() | {"step_size": 1.0}
    problem = build_problem(values, CPU)
    stages = _stages.Stages(problem, values)
    f = problem.train.start
    first = float((f - problem.targets).square().mean()) / 2.0
    far = problem.targets + (2.0 * first * 1e6) ** 0.5 * torch.tensor([0.999, 1.001]).view(2, 1, 1)
    assert [stages.has_diverged(one) for one in far] == [False, True]
    assert not stages.has_diverged(f) and stages.has_diverged(f * torch.nan)
    stages.v = stages.v * torch.nan
    assert stages.has_diverged(f)


def test_the_distance_of_two_kernels_is_one_minus_their_cosine():
    a, b = kernel_of(5), kernel_of(5, seed=1)
    x, y = a.flatten().numpy(), b.flatten().numpy()
    wanted = 1.0 - np.dot(x, y) / (np.linalg.norm(x) * np.linalg.norm(y))
    assert 0.05 < wanted < 0.95
    assert _stages._distance(a, b) == pytest.approx(wanted, rel=1e-12)
    assert _stages._distance(a, 3.0 * a) == pytest.approx(0.0, abs=1e-15)
    assert _stages._distance(a, 0.0 * a) == 0.0


@pytest.mark.parametrize(("most", "points"), [(600, 4), (7, 2), (2, 1)])
def test_the_spectrum_is_of_the_kernel_over_the_points_that_it_is_of(monkeypatch, most, points):
    """Of four points of three outputs; of two, where there are seven eigenvalues at most."""
    monkeypatch.setattr(_stages, "LARGEST_NOTED", most)
    kernel, size = kernel_of(12), 3 * points
    found = _stages._spectrum(kernel, 4)
    wanted = np.linalg.svd(kernel[:size, :size].numpy() / points, compute_uv=False)
    assert found == pytest.approx(wanted, abs=1e-10) and (found >= 0.0).all()
