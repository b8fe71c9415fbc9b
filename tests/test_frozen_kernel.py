"""Kept kernels against explicit Jacobians, and frozen ones against SciPy and the linearisation."""

import numpy as np
import oracle
import pytest
import torch
from scipy.integrate import solve_ivp

from lazycore import run
from lazycore.config.run import RunConfig
from lazycore.engine.measures import frozen_kernel
from lazycore.engine.measures.frozen_kernel import train_frozen
from lazycore.engine.measures.kept_kernels import KeptKernels
from lazycore.engine.problem.problem import build_problem

TINY = {
    "task": "circles",
    "n_train": 12,
    "n_test": 7,
    "width": 8,
    "activation": "tanh",
    "loss": "logistic",
    "alpha": 0.5,
    "time": 20.0,
    "keep": "kernels",
}


def problem_of(**fields):
    values = RunConfig(**{k: v for k, v in (TINY | fields).items() if k != "keep"}).resolve()
    return build_problem(values.to_dict(), torch.device("cpu"))


def outputs_by_scipy(problem, kernel, time):
    """Return F at `time` under F' = −Θ ∇R(F): DOP853 at rtol 1e-10."""

    def field(_, f):
        r = problem.residual(torch.from_numpy(f).view(problem.targets.shape))
        return -(kernel @ r.reshape(-1)).numpy()

    start = problem.train.start.reshape(-1).numpy()
    solved = solve_ivp(field, (0.0, time), start, method="DOP853", rtol=1e-10, atol=1e-12)
    assert solved.success
    return solved.y[:, -1]


@pytest.mark.parametrize("zero_output", ["centered", "none"])
@pytest.mark.parametrize("loss", ["square", "logistic"])
def test_a_frozen_kernel_trains_as_the_flow_in_function_space(loss, zero_output):
    problem = problem_of(loss=loss, zero_output=zero_output)
    kernel, time = problem.train.anchor.kernel, 50.0
    c, reached = train_frozen(kernel, problem, time)
    found = problem.train.start.reshape(-1) + kernel @ c
    wanted = outputs_by_scipy(problem, kernel, time)
    assert reached == time
    worst = float(np.abs(found.numpy() - wanted).max() / np.abs(wanted).max())
    assert worst < (1e-9 if loss == "square" else 0.02)


def test_a_quarter_of_the_gradient_change_halves_the_error(monkeypatch):
    problem = problem_of()
    kernel, errors = problem.train.anchor.kernel, []
    wanted = outputs_by_scipy(problem, kernel, 50.0)
    monkeypatch.setattr(frozen_kernel, "OUTPUT_CHANGE", 1e9)
    for change in (1e-3, 2.5e-4, 6.25e-5):
        monkeypatch.setattr(frozen_kernel, "GRADIENT_CHANGE", change)
        c, _ = train_frozen(kernel, problem, 50.0)
        errors.append(float(np.abs((kernel @ c).numpy() - wanted).max()))
    assert 1.6 < errors[0] / errors[1] < 2.5 and 1.6 < errors[1] / errors[2] < 2.5


def test_a_kernel_that_is_larger_only_makes_time_pass_faster(monkeypatch):
    """What a step may change is a share: with 100 Θ and t/100 the steps are the same ones."""
    problem = problem_of()
    kernel = problem.train.anchor.kernel
    monkeypatch.setattr(frozen_kernel, "OUTPUT_CHANGE", 1e9)
    c, _ = train_frozen(kernel, problem, 50.0)
    fast, _ = train_frozen(100.0 * kernel, problem, 0.5)
    assert torch.allclose(100.0 * fast, c, rtol=1e-9)


def test_a_model_that_would_take_too_many_steps_says_how_far_it_came(monkeypatch):
    problem = problem_of()
    monkeypatch.setattr(frozen_kernel, "MOST_STEPS", 5)
    _, reached = train_frozen(problem.train.anchor.kernel, problem, 50.0)
    assert 0.0 < reached < 50.0


@pytest.fixture(scope="module", params=["dense", "deep", "symmetrized"])
def kept(request):
    fields = {
        "dense": {},
        "deep": {"model": "fully_connected", "depth": 2, "task": "digits"},
        "symmetrized": {"zero_output": "symmetrized", "loss": "square"},
    }[request.param]
    config = RunConfig.from_dict(TINY | fields)
    return run(config), oracle.setting(config)


def test_the_kept_kernel_at_the_start_is_that_of_explicit_jacobians(kept):
    result, s = kept
    j = s.jacobian(s.x)[:, 0].numpy()
    kernel, y = j @ j.T, s.y[:, 0].numpy()
    order = np.argsort(y, kind="stable")
    gram = result.sparse["kernel.gram"]
    assert gram.dtype == np.float32 and gram.shape[1:] == (12, 12)
    assert np.allclose(gram[0], kernel[order][:, order], rtol=1e-5, atol=1e-6)
    assert np.array_equal(result.latest["kernel.labels"], y[order])
    values, vectors = np.linalg.eigh(kernel / len(y))
    assert np.allclose(result.sparse["kernel.eigenvalues"][0], values[::-1], atol=1e-12)
    shares = (vectors.T @ y)[::-1] ** 2 / (y @ y)
    assert np.allclose(result.sparse["kernel.projections"][0], shares, atol=1e-8)
    assert np.allclose(result.sparse["kernel.projections"].sum(1), 1.0)
    assert result.sparse["kernel.eigenvalues"][0, 0] == pytest.approx(result.latest["lambda_max"])


def test_the_initial_kernel_trains_as_the_linearised_model(kept):
    result, _ = kept
    for part in ("train", "test"):
        found = result.sparse[f"frozen.{part}_loss"][0]
        assert found == pytest.approx(result.series[f"linearized.{part}_loss"][-1], rel=0.02)
    assert result.sparse["frozen.time"][0] == result.time[-1]


def test_the_last_layers_kernel_is_that_of_its_own_weights(kept):
    result, s = kept
    problem = build_problem(s.values, torch.device("cpu"))
    measured = KeptKernels(problem, 20.0).at(problem.w0)
    j = s.jacobian(s.x)[:, 0]
    width = s.values["width"]
    if s.values["zero_output"] == "symmetrized":
        last = [
            *range(len(s.w0) // 2 - width // 2 - 1, len(s.w0) // 2),
            *range(len(s.w0) - width // 2 - 1, len(s.w0)),
        ]
    else:
        last = list(range(len(s.w0) - width - (s.values["bias"] != "none"), len(s.w0)))
    rows = s.jacobian(s.x_test)[:, 0][:, last]
    kernel, cross = j[:, last] @ j[:, last].T, rows @ j[:, last].T
    c, _ = train_frozen(kernel, problem, 20.0)
    assert problem.test is not None and problem.test.y is not None
    f_test = problem.test.start + (cross @ c)[:, None]
    test_loss = float(problem.loss.per_point(f_test, problem.test.y).mean())
    assert measured["frozen_last_layer.test_loss"] == pytest.approx(test_loss, rel=1e-9)
    f = problem.train.start + (kernel @ c)[:, None]
    loss = float(problem.loss.per_point(f, problem.targets).mean())
    assert measured["frozen_last_layer.train_loss"] == pytest.approx(loss, rel=1e-9)
    assert (
        measured["frozen_last_layer.train_loss"] == result.sparse["frozen_last_layer.train_loss"][0]
    )


def test_correlations_are_with_the_networks_final_outputs(kept):
    result, s = kept
    problem = build_problem(s.values, torch.device("cpu"))
    c, _ = train_frozen(problem.train.anchor.kernel, problem, 20.0)
    assert problem.test is not None
    cross = problem.test.anchor.kernel_with(problem.train.anchor)
    f = problem.test.start[:, 0] + cross @ c
    final = result.latest["nonlinear.test_outputs"][:, 0]
    found = result.latest["frozen.correlation"]
    assert found.shape == result.kernel_time.shape
    assert found[0] == pytest.approx(np.corrcoef(f.numpy(), final)[0, 1], abs=1e-4)
    wrong = np.mean(f.numpy() * s.y_test[:, 0].numpy() <= 0.0)
    assert result.sparse["frozen.test_error"][0] == wrong


def test_keeping_kernels_changes_no_other_number():
    fields = {k: v for k, v in TINY.items() if k != "keep"}
    plain, kept = run(RunConfig(**fields)), run(RunConfig.from_dict(TINY))
    assert plain.digest != kept.digest
    assert RunConfig(**fields).digest == RunConfig.from_dict(fields | {"keep": "curves"}).digest
    for name, values in plain.series.items():
        assert np.array_equal(values, kept.series[name], equal_nan=True), name
    assert not any(name.startswith(("frozen.", "kernel.")) for name in plain.sparse)


def test_several_outputs_have_one_gram_matrix_and_larger_sets_no_frozen_models():
    ten = {"task": "digits", "labels": "ten", "loss": "cross_entropy", "n_train": 8}
    result = run(RunConfig.from_dict(TINY | ten | {"dynamics": "gd", "steps": 20, "time": None}))
    assert result.sparse["kernel.gram"].shape[1:] == (8, 8)
    assert 0.0 <= result.sparse["frozen.test_error"][-1] <= 1.0
    assert list(result.latest["kernel.labels"]) == sorted(result.latest["kernel.labels"])
    large = run(
        RunConfig.from_dict(
            TINY | ten | {"n_train": 60, "dynamics": "gd", "steps": 2, "time": None}
        )
    )
    assert large.sparse["kernel.gram"].shape[1:] == (50, 50)
    assert not any(name.startswith("frozen.") for name in large.sparse)


def test_frozen_models_stop_at_the_margins_where_the_network_does():
    hinge = {"loss": "soft_hinge", "stop": "margins", "time": None}
    result = run(RunConfig.from_dict(TINY | hinge))
    problem = problem_of(**hinge)
    met = result.latest["nonlinear.stop_time"]
    assert result.kernel_time[-1] == met
    times, trained = result.sparse["frozen.time"], np.isfinite(result.sparse["frozen.time"])
    assert list(np.flatnonzero(trained)[:2]) == [0, 4] and trained[-1]
    assert (times[trained] < result.latest["horizon"]).all()
    assert times[0] == pytest.approx(result.latest["linearized.stop_time"], rel=0.02)
    assert (result.sparse["frozen.train_error"][trained] == 0.0).all()
    found = result.latest["frozen.correlation"]
    assert np.array_equal(np.isfinite(found), trained)
    c, _ = train_frozen(problem.train.anchor.kernel, problem, 1e9, margin=1.0)
    f = (problem.train.anchor.kernel @ c)[:, None]
    least = float((problem.targets * f).min())
    assert 1.0 <= least < 1.1, "one step beyond, of at most 0.1"


def test_models_are_trained_at_every_fourth_time_and_at_the_last():
    steps = {"dynamics": "gd", "steps": 30, "time": None}
    result = run(RunConfig.from_dict(TINY | steps))
    assert len(result.kernel_time) == 7
    trained = np.isfinite(result.sparse["frozen.test_error"])
    assert list(np.flatnonzero(trained)) == [0, 4, 6]
    assert list(np.flatnonzero(np.isfinite(result.latest["frozen.correlation"]))) == [0, 4, 6]
    assert result.sparse["frozen.time"][6] == pytest.approx(result.time[-1])


def test_kernels_of_convolutional_networks_are_kept_too():
    fields = {"task": "digits", "model": "cnn", "width_multiplier": 0.25, "keep": "kernels"}
    fields |= {"dynamics": "gd", "steps": 2, "n_train": 6, "n_test": 8, "labels": "parity"}
    result = run(RunConfig.from_dict(fields))
    assert result.sparse["kernel.gram"].shape[1:] == (6, 6)
    assert np.isfinite(result.sparse["frozen.test_error"][-1])
    assert np.isfinite(result.latest["frozen_last_layer.correlation"][-1])
