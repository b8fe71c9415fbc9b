"""Every algorithm against the plain iteration, or flow, of the plain formulas in `oracle`."""

import itertools
import math

import numpy as np
import oracle
import pytest
import torch

from lazycore.config import spec
from lazycore.config.moments import recorded_steps, recorded_times
from lazycore.config.run import RunConfig
from lazycore.dynamics import flow, trajectory
from lazycore.dynamics.sgd import batches
from lazycore.engine.linear import closed_form as _closed_form
from lazycore.engine.linear import tangent
from lazycore.engine.linear.closed_form import (
    closed_form,
    descent_filters,
    flow_filters,
    momentum_filters,
)
from lazycore.engine.linear.tangent import FunctionSpace, ParameterSpace, tangent_space
from lazycore.engine.problem.norms import rms
from lazycore.engine.problem.problem import build_problem
from lazycore.engine.problem.stacked import Lanes
from lazycore.running.run import choose_scales

CPU = torch.device("cpu")
TINY = {"task": "teacher", "n_train": 6, "n_test": 3, "dim": 3, "width": 4, "activation": "tanh"}


def problem_of(**fields):
    """Return the config's values with scales chosen, the engine's problem and the oracle's."""
    config = RunConfig(**(TINY | fields))
    problem = build_problem(config.resolve().to_dict(), CPU)
    values = config.resolve().to_dict()
    return values | choose_scales(problem, values), problem, oracle.setting(config)


def moments(values, problem, record=None, limit=None):
    """Return what the run's dynamics yields, as a list."""
    return list(trajectory(problem, values, record=record, limit=limit))


def paths(s, values, steps, stream=None):
    """Return the oracle's displacements α (w − w0) of both models after each of `steps`."""
    found = []
    for model in (s.h, s.h_bar):
        source = None if stream is None else iter(stream())
        walk = oracle.descend(
            s.objective(model), s.w0, values["step_size"], values["momentum"], source
        )
        wanted = list(itertools.islice(walk, int(steps[-1]) + 1))
        found.append([s.alpha * (wanted[int(k)] - s.w0) for k in steps])
    return zip(*found, strict=True)


def same(a, b, tolerance=1e-10):
    """Whether two displacements agree relative to their size."""
    return float((a - b).norm()) <= tolerance * max(float(b.norm()), 1e-3)


DESCENTS = [
    {"loss": "square"},
    {"loss": "square", "momentum": 0.9, "zero_output": "symmetrized"},
    {"loss": "square", "zero_output": "none", "alpha": 30.0, "bias": "normal"},
    {"loss": "square", "alpha": 0.5, "activation": "relu", "step_size": 0.5},
    {"loss": "logistic"},
    {"loss": "logistic", "momentum": 0.7, "zero_output": "none"},
    {"loss": "logistic", "zero_output": "symmetrized", "model": "fully_connected", "bias": "zero"},
    {"loss": "cross_entropy", "momentum": 0.5},
    {"loss": "cross_entropy", "zero_output": "none", "scaling": "plain", "step_size": 0.05},
    {"loss": "cross_entropy", "task": "digits", "labels": "ten", "dim": None, "width": 6},
    {"loss": "square", "task": "digits", "labels": "ten", "dim": None, "zero_output": "none"},
    {"loss": "square", "n_train": 60, "width": 2, "momentum": 0.8},
    {"loss": "logistic", "n_train": 60, "width": 2},
]


@pytest.mark.parametrize("fields", DESCENTS, ids=[str(i) for i in range(len(DESCENTS))])
def test_gradient_descent_of_both_models_is_the_plain_iteration(fields):
    values, problem, s = problem_of(**({"alpha": 3.0, "dynamics": "gd", "steps": 40} | fields))
    steps = np.array([0, 1, 2, 7, 40])
    found = moments(values, problem, steps)
    for moment, (w, w_bar) in zip(found, paths(s, values, steps), strict=True):
        assert same(moment.nonlinear, w) and same(moment.linearized, w_bar)
        assert moment.tangent is moment.exact
    assert [m.time for m in found] == [float(k) * values["step_size"] for k in steps]
    assert found[-1].progress == 1.0 and found[-1].error == 0.0


@pytest.mark.parametrize("fields", DESCENTS, ids=[str(i) for i in range(len(DESCENTS))])
def test_stochastic_descent_takes_the_same_batches_with_both_models(fields):
    options = {"alpha": 3.0, "dynamics": "sgd", "steps": 20, "batch_size": 4, "batch_seed": 5}
    values, problem, s = problem_of(**(options | fields))

    def stream():
        return batches(len(s.x), 4, 5)

    steps = np.array([0, 1, 3, 20])
    for moment, (w, w_bar) in zip(
        moments(values, problem, steps), paths(s, values, steps, stream), strict=True
    ):
        assert same(moment.nonlinear, w) and same(moment.linearized, w_bar)


def test_batches_are_whole_permutations_and_do_not_depend_on_anything_but_their_seed():
    stream = batches(10, 3, 7)
    first = [next(stream) for _ in range(6)]
    for epoch in (first[:3], first[3:]):
        assert len(set(np.concatenate(epoch))) == 9 and all(len(b) == 3 for b in epoch)
    again = batches(10, 3, 7)
    assert all(np.array_equal(a, next(again)) for a in first)
    other = batches(10, 3, 8)
    assert any(not np.array_equal(a, next(other)) for a in first)


def test_a_batch_of_everything_is_gradient_descent():
    values, problem, _ = problem_of(dynamics="sgd", steps=30, batch_size=6, momentum=0.3)
    full = values | {"dynamics": "gd"}
    for a, b in zip(moments(values, problem), moments(full, problem), strict=True):
        assert same(a.nonlinear, b.nonlinear, 1e-12) and same(a.linearized, b.linearized, 1e-11)


# ── coordinates of the linearised model ─────────────────────────────────────────────────


@pytest.mark.parametrize("loss", ["square", "logistic"])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_all_coordinates_are_the_same_model(monkeypatch, loss, momentum):
    fields = {"dynamics": "gd", "steps": 60, "loss": loss, "alpha": 2.0, "zero_output": "none"}
    values, problem, s = problem_of(**fields, momentum=momentum)
    steps = np.array([0, 5, 60])
    wanted = [w_bar for _, w_bar in paths(s, values, steps)]
    assert isinstance(tangent_space(problem), FunctionSpace)
    for limit in ("LARGEST_FORM", "LARGEST_KERNEL"):
        module = _closed_form if limit == "LARGEST_FORM" else tangent
        monkeypatch.setattr(module, limit, 5)
        found = [m.linearized for m in moments(values, problem, steps)]
        assert all(same(a, b) for a, b in zip(found, wanted, strict=True))
    assert isinstance(tangent_space(problem), ParameterSpace)


def test_few_parameters_are_trained_in_parameter_space_by_the_explicit_matrix(monkeypatch):
    values, problem, s = problem_of(dynamics="gd", steps=30, n_train=50, width=2, alpha=2.0)
    space = tangent_space(problem)
    assert isinstance(space, ParameterSpace) and space.size == len(s.w0)
    jacobian = s.jacobian(s.x).flatten(0, 1)
    assert torch.allclose(space.quadratic_form(), jacobian.T @ jacobian / 50, atol=1e-12)
    monkeypatch.setattr(tangent, "LARGEST_MATRIX", 0)
    assert isinstance(tangent_space(problem), FunctionSpace)


def test_more_points_than_parameters_in_function_space_keep_their_digits_for_long_runs():
    """n·k between p and 2p: Θ is singular, and its null space must not leak into v̄."""
    values, problem, s = problem_of(dynamics="gd", steps=10**6, n_train=20, width=4, dim=3)
    assert 16 == len(s.w0) < 20 and isinstance(tangent_space(problem), FunctionSpace)
    solution = closed_form(tangent_space(problem))
    filters = descent_filters(solution.eigenvalues, values["step_size"], np.array([10**6]))
    found = tangent_space(problem).parameters(solution.coordinates(filters)[0])
    jacobian = s.jacobian(s.x).flatten(0, 1)
    u, sigma, vt = torch.linalg.svd(jacobian / 20**0.5, full_matrices=False)
    eta = values["step_size"]
    y = u.T @ (s.y.flatten() / 20**0.5)
    by_svd = vt.T @ ((1 - (1 - eta * sigma**2) ** (10**6)) / sigma * y)
    assert same(found, by_svd, 1e-8)


def test_the_closed_form_of_unstable_steps_explodes_as_the_iteration_does():
    values, problem, s = problem_of(dynamics="gd", steps=60, alpha=5.0)
    eta = 2.3 / problem.largest_eigenvalue
    values |= {"step_size": eta}
    steps = np.array([0, 1, 2, 31, 60])
    for moment, (_, w_bar) in zip(
        moments(values, problem, steps), paths(s, values, steps), strict=True
    ):
        assert same(moment.linearized, w_bar, 1e-9)
    assert float(moment.linearized.norm()) > 1e4


def test_filters_are_the_iteration_of_each_mode_whatever_its_size():
    eta, mu = 0.5, 0.85
    eigenvalues = np.array([0.0, 1e-18, 1e-9, 0.3, 1.0, 2.0, 3.0, 3.9999, 4.0, 4.2])
    steps = np.array([0, 1, 2, 3, 50, 51])
    plain, heavy = np.zeros_like(eigenvalues), np.zeros_like(eigenvalues)
    velocity, wanted, wanted_heavy = np.zeros_like(eigenvalues), [], []
    for k in range(52):
        if k in steps:
            wanted.append(plain.copy())
            wanted_heavy.append(heavy.copy())
        plain = plain + eta * (1.0 - eigenvalues * plain)
        velocity = mu * velocity + 1.0 - eigenvalues * heavy
        heavy = heavy + eta * velocity
    assert np.allclose(descent_filters(eigenvalues, eta, steps), wanted, rtol=1e-9, atol=1e-12)
    found = momentum_filters(eigenvalues, eta, mu, steps)
    assert np.allclose(found, wanted_heavy, rtol=1e-12, atol=1e-15)
    times = np.array([0.0, 1e-6, 1.0, 1e3])
    phi = flow_filters(eigenvalues, times)
    assert np.allclose(phi[:, 0], times) and np.allclose(phi[:, 4], 1.0 - np.exp(-times))
    assert np.allclose(phi[:, 1], times) and np.isfinite(phi).all()


def test_filters_that_overflow_are_not_numbers_of_a_result():
    found = descent_filters(np.array([100.0]), 1.0, np.array([10**6, 10**6 + 1]))
    assert not np.isfinite(found).any()
    assert np.isfinite(descent_filters(np.array([1.0]), 1e-3, np.array([10**15]))).all()


@pytest.mark.parametrize("zero_output", ["none", "centered", "symmetrized"])
def test_the_closed_form_of_flow_is_the_integrated_linearised_flow(zero_output):
    values, problem, s = problem_of(zero_output=zero_output, alpha=4.0)
    space = tangent_space(problem)
    times = np.array([0.0, 1.0, 20.0])
    solution = closed_form(space)
    found = solution.coordinates(flow_filters(solution.eigenvalues, times))
    wanted = oracle.flow(s.objective(s.h_bar), s.w0, times)
    for row, w in zip(found, wanted, strict=True):
        assert same(space.parameters(row), s.alpha * (w - s.w0), 1e-8)


def test_there_is_a_closed_form_for_the_square_loss_only(monkeypatch):
    _, problem, _ = problem_of(loss="logistic")
    assert closed_form(tangent_space(problem)) is None
    _, problem, _ = problem_of()
    monkeypatch.setattr(_closed_form, "LARGEST_FORM", 5)
    assert closed_form(tangent_space(problem)) is None


# ── gradient flow ────────────────────────────────────────────────────────────────────────

SMOOTH = [
    {"alpha": 1.0},
    {"alpha": 100.0},
    {"alpha": 0.1, "width": 6},
    {"alpha": 1.0, "activation": "softplus", "zero_output": "symmetrized"},
    {"alpha": 30.0, "activation": "softplus", "bias": "normal", "model": "fully_connected"},
    {"alpha": 1.0, "zero_output": "none"},
    {"alpha": 100.0, "zero_output": "none"},
    {"alpha": 3.0, "loss": "logistic"},
    {"alpha": 100.0, "loss": "logistic", "zero_output": "symmetrized"},
    {"alpha": 1.0, "loss": "cross_entropy", "activation": "softplus"},
]


@pytest.mark.parametrize("fields", SMOOTH, ids=[str(i) for i in range(len(SMOOTH))])
def test_flow_states_an_error_of_the_gap_that_is_not_understated_on_smooth_problems(fields):
    values, problem, s = problem_of(**fields)
    values |= {"time": min(values["time"], 25.0)}
    times = np.linspace(0.0, values["time"], 6)
    found = moments(values, problem, times)
    v = s.alpha * (oracle.flow(s.objective(s.h), s.w0, times) - s.w0)
    v_bar = s.alpha * (oracle.flow(s.objective(s.h_bar), s.w0, times) - s.w0)
    largest = change = 0.0
    for number, moment in enumerate(found):
        mine = problem.train.outputs(moment.nonlinear) - problem.train.tangent_outputs(
            moment.paired
        )
        exact = problem.train.outputs(v[number]) - problem.train.tangent_outputs(v_bar[number])
        error = found[-1].error + problem.rounding_floor
        assert float(rms(mine - exact)) <= error
        largest, change = (
            max(largest, float(rms(exact))),
            max(change, float(rms(problem.train.outputs(v[number])))),
        )
        assert same(moment.linearized, v_bar[number], 1e-3)
        assert same(moment.nonlinear, v[number], 3e-3)
    assert error <= 1e-3 * largest + 10 * problem.rounding_floor
    assert len(found) == 6 and found[-1].progress == 1.0


@pytest.mark.parametrize(
    ("seed", "alpha", "zero_output"),
    [
        (0, 1.0, "centered"),
        (0, 10.0, "centered"),
        (0, 1000.0, "symmetrized"),
        (1, 1.0, "centered"),
    ],
)
def test_flow_on_relu_problems_is_within_its_error_of_a_tenfold_tighter_run(
    seed, alpha, zero_output
):
    values, problem, _ = problem_of(
        activation="relu", alpha=alpha, zero_output=zero_output, width=8, n_train=8, seed=seed
    )

    def gap(moment):
        outputs = problem.train.outputs(moment.nonlinear)
        return outputs - problem.train.tangent_outputs(moment.paired)

    found = moments(values, problem)
    tight = moments(values | {"tolerance": 1e-4}, problem)
    error = found[-1].error + problem.rounding_floor
    assert found[-1].progress == 1.0
    assert max(float(rms(gap(a) - gap(b))) for a, b in zip(found, tight, strict=True)) <= error


@pytest.mark.parametrize("zero_output", ["none", "centered", "symmetrized"])
@pytest.mark.parametrize("alpha", [0.001, 0.01])
def test_the_rich_flow_of_a_relu_network_lowers_its_loss_and_never_diverges(alpha, zero_output):
    """Its kernel grows by orders of magnitude, so steps that were stable cease to be."""
    values, problem, _ = problem_of(
        activation="relu", alpha=alpha, dim=5, n_train=10, width=20, zero_output=zero_output
    )
    values |= {"time": 0.05 * values["time"]}
    found = moments(values, problem, limit=6_000)
    losses = [
        float(problem.loss.per_point(problem.train.outputs(m.nonlinear), problem.targets).mean())
        for m in found
    ]
    assert all(b <= a + 1e-3 * losses[0] for a, b in itertools.pairwise(losses))
    assert losses[-1] < 0.9 * losses[0]


def test_a_tighter_tolerance_is_a_smaller_error():
    values, problem, _ = problem_of(alpha=3.0)
    errors = [
        moments(values | {"tolerance": tolerance}, problem)[-1].error
        for tolerance in (1e-2, 1e-3, 1e-4)
    ]
    assert errors[0] > errors[1] > errors[2] > 0.0


def test_flow_ends_on_its_budget_and_hands_over_what_it_has():
    values, problem, _ = problem_of(activation="relu", alpha=0.3)
    found = moments(values, problem, limit=300)
    assert 1 <= len(found) < 201 and found[-1].progress < 1.0
    assert all(m.nonlinear is not None for m in found)


def test_flow_of_a_problem_that_has_nothing_to_learn_stands_still():
    values, problem, _ = problem_of(task="digits", dim=None, n_train=1, activation="relu")
    found = moments(values, problem)
    assert problem.largest_eigenvalue == 0.0 and len(found) == 201
    assert float(found[-1].nonlinear.norm()) == 0.0


def test_flow_whose_right_side_is_not_finite_ends_as_diverged(monkeypatch):
    values, problem, _ = problem_of()
    before = Lanes.gradient
    calls = itertools.count()

    def broken(self, v):
        gradient, change = before(self, v)
        return gradient * (math.nan if next(calls) > 40 else 1.0), change

    monkeypatch.setattr(Lanes, "gradient", broken)
    found = moments(values, problem)
    assert found[-1].nonlinear is None and found[-1].progress == 1.0 and len(found) < 201
    assert all(m.nonlinear.isfinite().all() for m in found[:-1])


def test_the_spec_of_flow_knows_no_count_and_the_others_do():
    assert flow.SPEC.facts["evaluations"]({}) is None
    for name in ("gd", "sgd"):
        assert spec.find("dynamics", name).SPEC.facts["evaluations"]({"steps": 7}) == 7


def test_recorded_times_are_geometric_and_end_with_the_run():
    times = recorded_times(7.0)
    assert times[0] == 0.0 and times[-1] == 7.0 and len(times) == 201
    assert times[1] == pytest.approx(7e-4)
    assert np.allclose(np.diff(np.log(times[1:])), math.log(1e4) / 199)
    for steps in (1, 2, 10, 1000, 10**6, 10**15):
        found = recorded_steps(steps)
        assert found[0] == 0 and found[-1] == steps and len(np.unique(found)) == len(found) <= 201
        assert (np.diff(found) > 0).all()
