"""Programs that are no networks: a matrix factorisation and an ODE, lazy like any model."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.engine.features.kernel import tangent_kernel
from lazycore.engine.problem.problem import Problem, build_problem
from lazycore.errors import ConfigError
from lazycore.figures import panels_of
from lazycore.running.run import run
from lazycore.tasks import Streams

MATRIX = {"task": "matrix_completion", "matrix_size": 6, "width": 4, "n_train": 12, "n_test": 8}
OSCILLATOR = {"task": "ode_fit", "n_train": 9, "n_test": 5}
BOTH = pytest.mark.parametrize("fields", [MATRIX, OSCILLATOR], ids=["matrix", "ode"])


def values_of(fields: dict, **more) -> dict:
    return RunConfig.from_dict(fields | more).resolve().to_dict()


def problem_of(fields: dict, **more) -> Problem:
    return build_problem(values_of(fields, **more), torch.device("cpu"))


def by_differences(problem: Problem, x: torch.Tensor) -> np.ndarray:
    """Return Dh(w0, x), (n, p), column by column by central differences."""
    h = 1e-6
    columns = []
    for i in range(len(problem.w0)):
        step = torch.zeros_like(problem.w0)
        step[i] = h
        up, down = (problem.network(problem.w0 + s * step, x)[:, 0] for s in (1, -1))
        columns.append(((up - down) / (2 * h)).numpy())
    return np.stack(columns, axis=1)


# ── what they compute ────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("scaling", "c"), [("plain", 1.0), ("ntk", 0.5), ("mean_field", 0.25)])
def test_the_factorisation_is_an_entry_of_the_product(scaling, c):
    problem = problem_of(MATRIX, scaling=scaling, init_scale=0.7, zero_output="none")
    u, v = problem.w0.numpy().reshape(2, 6, 4)
    for row, h in zip(problem.train.x, problem.network(problem.w0, problem.train.x), strict=True):
        i, j = np.flatnonzero(row.numpy())
        assert float(h) == pytest.approx(c * float(u[i] @ v[j - 6]), abs=1e-14)


def test_observed_and_tested_entries_are_different_ones_of_a_matrix_of_low_rank():
    values = values_of(MATRIX, n_test=24, matrix_rank=2)
    task = spec.find("task", "matrix_completion")
    matrix = task.truth(values, Streams.from_seed(values["data_seed"]))
    assert np.linalg.matrix_rank(matrix) == 2
    found = task.sample(values, Streams.from_seed(values["data_seed"]))
    x = np.concatenate([found.x_train, found.x_test])
    assert len(np.unique(x, axis=0)) == 36 and np.array_equal(x.sum(1), np.full(36, 2.0))
    rows, columns = x[:, :6].argmax(1), x[:, 6:].argmax(1)
    assert np.array_equal(matrix[rows, columns], np.concatenate([found.y_train, found.y_test]))
    fewer = task.sample(values_of(MATRIX, n_test=10), Streams.from_seed(values["data_seed"]))
    assert np.array_equal(fewer.x_test, found.x_test[:10])


def test_the_trajectory_is_that_of_a_loop_of_runge_kutta_steps():
    problem = problem_of(OSCILLATOR, zero_output="none")
    w = problem.w0.numpy()
    k, c = np.exp(w[0]), 0.25 * np.exp(w[1])

    def rate(state):
        return np.array([state[1], -k * state[0] - c * state[1]])

    outputs = problem.train.outputs(0 * problem.w0)[:, 0].tolist()
    for t, h in zip(problem.train.x[:, 0].tolist(), outputs, strict=True):
        state, step = w[2:].copy(), t / 128
        for _ in range(128):
            k1 = rate(state)
            k2 = rate(state + 0.5 * step * k1)
            k3 = rate(state + 0.5 * step * k2)
            k4 = rate(state + step * k3)
            state = state + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        assert h == pytest.approx(state[0], abs=1e-12)


def test_twice_as_many_steps_are_sixteen_times_as_exact(monkeypatch):
    ode = spec.find("model", "ode")
    t = torch.linspace(0.5, 10.0, 12, dtype=torch.float64)[:, None]
    w = torch.tensor([0.3, -0.2, 0.8, -0.5], dtype=torch.float64)
    exact = spec.find("task", "ode_fit").position(
        t[:, 0].numpy(), np.exp(0.3), 0.25 * np.exp(-0.2), 0.8, -0.5
    )
    errors = []
    for doublings in (5, 6, 7):
        monkeypatch.setattr(ode, "DOUBLINGS", doublings)
        h = ode.build(values_of(OSCILLATOR), 1, 1)(w, t)[:, 0].numpy()
        errors.append(np.abs(h - exact).max())
    assert 12 < errors[0] / errors[1] < 20 and 12 < errors[1] / errors[2] < 20
    assert errors[2] < 1e-4


@pytest.mark.parametrize(("k", "c"), [(1.3, 0.2), (0.2, 2.0), (1.0, 2.0)])
def test_the_true_positions_solve_the_equation(k, c):
    t = np.linspace(0.0, 10.0, 7)
    solved = solve_ivp(
        lambda _, q: [q[1], -k * q[0] - c * q[1]], (0, 10), [0.6, 0.8], t_eval=t, rtol=1e-10,
        atol=1e-12,
    )  # fmt: skip
    position = spec.find("task", "ode_fit").position(t, k, c, 0.6, 0.8)
    assert np.allclose(position, solved.y[0], atol=1e-8)


@BOTH
@pytest.mark.parametrize("zero_output", ["none", "symmetrized"])
def test_features_and_gradients_are_the_explicit_jacobian(fields, zero_output):
    problem = problem_of(fields, zero_output=zero_output)
    x = problem.train.x
    jacobian = by_differences(problem, x)
    found = problem.network.features(problem.w0, x)
    assert np.allclose(found.matrix()[:, 0].numpy(), jacobian, atol=1e-7)
    assert np.allclose(tangent_kernel(found).numpy(), jacobian @ jacobian.T, atol=1e-6)
    r = torch.linspace(-1.0, 1.0, len(x), dtype=torch.float64)[:, None]
    _, pull = problem.network.pullback(problem.w0, x)
    assert np.allclose(pull(r).numpy(), jacobian.T @ r[:, 0].numpy(), atol=1e-7)
    model = spec.find("model", values_of(fields)["model"]).SPEC.facts
    counted = model["parameters"](values_of(fields, zero_output=zero_output), x.shape[1], 1)
    assert counted == len(problem.w0)


def test_the_bend_of_the_factorisation_is_the_largest_over_all_directions():
    problem = problem_of(MATRIX, matrix_size=3, width=2, n_train=5, n_test=0)
    x, n = problem.train.x, 5
    h = torch.func.hessian(lambda w: problem.network(w, x)[:, 0])(problem.w0) / n**0.5
    generator, best = torch.Generator().manual_seed(0), 0.0
    for _ in range(50):
        u = torch.randn(len(problem.w0), generator=generator, dtype=torch.float64)
        for _ in range(100):
            q = torch.einsum("npq,p,q->n", h, u, u)
            matrix = torch.einsum("n,npq->pq", q, h)
            eigenvalues, vectors = torch.linalg.eigh(matrix)
            u = vectors[:, eigenvalues.abs().argmax()]
        best = max(best, float(torch.einsum("npq,p,q->n", h, u, u).norm()))
    assert best == pytest.approx(problem.network.second_derivative_norm(problem.w0, x), rel=1e-6)
    assert problem.network.second_derivative_bound(problem.w0, x, 7.0) == pytest.approx(best)
    paired = problem_of(MATRIX, zero_output="symmetrized", n_train=5)
    bend = paired.network.second_derivative_norm(paired.w0, paired.train.x)
    assert bend == pytest.approx(0.5 / 5**0.5)


# ── how they train ───────────────────────────────────────────────────────────────────────
@BOTH
def test_gap_of_the_centred_program_falls_as_one_over_alpha_and_its_kernel_stays(fields):
    alphas = [1e2, 1e3, 1e4]
    runs = [run(RunConfig.from_dict(fields | {"alpha": a, "time": 5.0})) for a in alphas]
    gaps = [r.series["gap.train_output"].max() for r in runs]
    slope = np.polyfit(np.log(alphas), np.log(gaps), 1)[0]
    assert slope == pytest.approx(-1.0, abs=0.02)
    changes = [r.sparse["kernel_change"][-1] for r in runs]
    assert np.polyfit(np.log(alphas), np.log(changes), 1)[0] == pytest.approx(-1.0, abs=0.03)
    assert changes[-1] < 1e-3 and runs[-1].verdict == "lazy"


@BOTH
def test_gap_of_paired_programs_falls_as_one_over_alpha_squared(fields):
    alphas = [1e1, 1e2]
    asked = fields | {"zero_output": "symmetrized", "time": 2.0, "tolerance": 1e-4}
    gaps = [
        run(RunConfig.from_dict(asked | {"alpha": a})).series["gap.train_output"].max()
        for a in alphas
    ]
    assert np.polyfit(np.log(alphas), np.log(gaps), 1)[0] == pytest.approx(-2.0, abs=0.05)


@BOTH
def test_the_linearised_program_follows_the_exponential_of_its_jacobian(fields):
    problem = problem_of(fields)
    jacobian = by_differences(problem, problem.train.x)
    y, n = problem.targets[:, 0].numpy(), len(problem.targets)
    rates, modes = np.linalg.eigh(jacobian @ jacobian.T / n)
    found = run(RunConfig.from_dict(fields | {"time": 5.0}))
    for t, loss in zip(found.time, found.series["linearized.train_loss"], strict=True):
        left = modes @ (np.exp(-rates * t) * (modes.T @ y))
        assert loss == pytest.approx(0.5 * np.mean(left**2), rel=1e-4)


def test_rich_factors_find_the_matrix_and_lazy_ones_do_not():
    base = {"task": "matrix_completion", "matrix_rank": 1, "matrix_size": 10, "n_train": 50}
    base |= {"width": 10, "dynamics": "gd", "steps": 2000, "zero_output": "none"}
    rich = run(RunConfig.from_dict(base | {"init_scale": 0.03, "step_size": 2.0}))
    lazy = run(RunConfig.from_dict(base | {"alpha": 1e3, "zero_output": "centered"}))
    assert rich.series["nonlinear.train_loss"][-1] < 1e-3
    ratio = lazy.series["nonlinear.test_loss"][-1] / rich.series["nonlinear.test_loss"][-1]
    assert rich.verdict == "rich" and lazy.verdict == "lazy" and ratio > 20


def test_an_ordinary_fit_finds_the_oscillator_and_its_linearisation_does_not():
    # The four sensitivities at this start do not hold the true trajectory.
    asked = {"task": "ode_fit", "seed": 2, "zero_output": "none", "noise": 0.0}
    found = run(RunConfig.from_dict(asked | {"init_scale": 0.3, "time": 1000.0}))
    assert found.series["nonlinear.test_loss"][-1] < 1e-4
    assert found.series["linearized.test_loss"][-1] > 1e-2


@BOTH
@pytest.mark.parametrize("dynamics", ["flow", "gd", "sgd"])
@pytest.mark.parametrize("loss", ["square", "logistic"])
def test_every_dynamics_and_loss_takes_a_program(fields, dynamics, loss):
    few = {"time": 1.0} if dynamics == "flow" else {"steps": 20, "step_size": 0.05}
    found = run(RunConfig.from_dict(fields | few | {"dynamics": dynamics, "loss": loss}))
    assert found.status == "done" and panels_of(found)


def test_a_program_is_refused_on_a_task_that_it_does_not_fit():
    for model, task in (("matrix_factorization", "matrix_completion"), ("ode", "ode_fit")):
        for other in ("teacher", "sine", "digits"):
            with pytest.raises(ConfigError, match=f"give task={task}"):
                RunConfig(model=model, task=other)
    with pytest.raises(ConfigError, match="has 36 entries; give n_test at most 16"):
        RunConfig.from_dict(MATRIX | {"n_train": 20, "n_test": 17})
    with pytest.raises(ConfigError, match="give 4"):
        RunConfig.from_dict(MATRIX | {"width": 3, "zero_output": "symmetrized"})


def test_networks_learn_the_tasks_of_programs_too():
    for task in ("matrix_completion", "ode_fit"):
        assert run(RunConfig(task=task, model="two_layer", dynamics="gd", steps=5)).status == "done"


def test_the_python_of_the_page_on_data_and_programs_runs(tmp_path):
    text = (Path(__file__).parents[1] / "docs" / "howto" / "data.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 2
    script = "import os\nos.environ['OMP_NUM_THREADS'] = '1'\n" + "\n".join(blocks)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={
            "PATH": "",
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "LAZYLAB_DATA": str(tmp_path),
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "lazy" in done.stdout
