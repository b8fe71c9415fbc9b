"""The quadratic model and the figure eight: derivatives, constants, and what they refuse."""

import numpy as np
import pytest
import torch

from lazycore import run
from lazycore.config import cost
from lazycore.config.run import RunConfig
from lazycore.engine.networks.programs import LARGEST_BEND, Eight, Quadratic, bend_of
from lazycore.engine.problem.problem import build_problem
from lazycore.errors import ConfigError

X = torch.zeros((1, 0), dtype=torch.float64)


def problem_of(**fields):
    return build_problem(RunConfig.from_dict(fields).resolve().to_dict(), torch.device("cpu"))


PROBLEMS = {
    "quadratic": {"task": "vector", "target_size": 5, "weights": 7, "bend": 0.8},
    "figure_eight": {"task": "plane_target"},
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_derivatives_are_those_of_autograd(name):
    problem = problem_of(**PROBLEMS[name])
    rng = np.random.default_rng(1)
    w = torch.tensor(rng.standard_normal(problem.w0.shape))
    r = torch.tensor(rng.standard_normal(problem.targets.shape))
    network = problem.network
    wanted = torch.func.jacrev(lambda u: network.program.value(u))(w)
    outputs, pull = network.pullback(w, X)
    assert outputs.shape == problem.targets.shape
    torch.testing.assert_close(network.program.jacobian(w), wanted)
    torch.testing.assert_close(pull(r), r[0] @ wanted)
    torch.testing.assert_close(network.features(w, X).matrix()[0], wanted)
    assert network.neurons(w) is None and network.observe(w, X)[1] == []


def test_at_several_points_the_outputs_repeat_and_their_pulls_add_up():
    network, x = problem_of(**PROBLEMS["quadratic"]).network, torch.zeros((3, 0)).double()
    w = torch.linspace(-1.0, 1.0, 7, dtype=torch.float64)
    outputs, pull = network.pullback(w, x)
    assert outputs.shape == (3, 5) and (outputs == outputs[0]).all()
    r = torch.arange(15.0, dtype=torch.float64).view(3, 5)
    torch.testing.assert_close(pull(r), r.sum(0) @ network.program.jacobian(w))


def test_the_quadratic_model_has_the_constants_that_its_file_says():
    problem = problem_of(**PROBLEMS["quadratic"])
    singular = torch.linalg.svdvals(problem.network.program.jacobian(problem.w0))
    assert singular[0] == pytest.approx(1.5) and singular[-1] == pytest.approx(1.0)
    assert problem.network.second_derivative_bound(problem.w0, X, 3.0) == pytest.approx(0.8)
    assert not problem.train.start.any() and float(problem.targets.norm()) == pytest.approx(1.0)


def test_the_bend_bounds_every_change_of_the_differential():
    rng = np.random.default_rng(2)
    b = rng.standard_normal((4, 6, 6))
    b += b.transpose(0, 2, 1)
    model, limit = Quadratic(np.zeros((4, 6)), b), bend_of(b)
    for _ in range(200):
        u, v = (torch.tensor(rng.standard_normal(6)) for _ in range(2))
        change = model.jacobian(u) - model.jacobian(v)
        norm = torch.linalg.matrix_norm(change, 2)
        assert float(norm) <= limit * float((u - v).norm()) * (1 + 1e-12)


@pytest.mark.parametrize("radius", [0.1, 0.5, 0.8, 1.0, 4.0])
def test_the_bend_of_the_figure_eight_is_its_largest_second_derivative_in_the_ball(radius):
    w = np.linspace(-radius, radius, 100_001)
    sizes = np.sqrt(np.sin(w) ** 2 + 4.0 * np.sin(2.0 * w) ** 2)
    start = torch.zeros(1, dtype=torch.float64)
    found = Eight().second_bound(start, radius)
    assert found == pytest.approx(sizes.max(), rel=1e-6) and found <= LARGEST_BEND
    assert Eight().second_norm(start) == 0.0


def test_another_init_seed_is_another_quadratic_model_and_the_same_target():
    first, second = (problem_of(task="vector", init_seed=seed) for seed in (1, 2))
    assert not np.allclose(first.network.program.a, second.network.program.a)
    assert torch.equal(first.targets, second.targets)


def test_a_linear_model_is_its_own_linearisation():
    result = run(RunConfig.from_dict({"task": "vector", "bend": 0.0, "time": 5.0}))
    assert np.nanmax(result.series["gap.train_output"]) <= 1e-12
    assert result.verdict == "undecided"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"model": "quadratic", "task": "circles"}, "has inputs x, which model=quadratic"),
        ({"model": "figure_eight", "task": "sine"}, "give task=vector or plane_target"),
        ({"model": "figure_eight", "task": "vector"}, "has two outputs, not 4"),
        ({"task": "vector", "model": "two_layer"}, "has no inputs x, which model=two_layer reads"),
        ({"task": "plane_target", "loss": "logistic"}, "takes classes"),
        ({"task": "vector", "n_train": 2}, "n_train=2 is not allowed"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(fields, sentence):
    with pytest.raises(ConfigError, match=sentence):
        RunConfig.from_dict(fields)


def test_a_task_without_inputs_prefers_its_model_and_costs_little():
    assert RunConfig(task="vector").resolve().model == "quadratic"
    assert RunConfig(task="plane_target").resolve().model == "figure_eight"
    assert cost.check(RunConfig(task="vector")).seconds < 2.0
    fields = {"task": "vector", "target_size": 2, "model": "figure_eight"}
    assert RunConfig.from_dict(fields).resolve().model == "figure_eight"


def test_sgd_and_gd_and_sweeps_take_programs_as_they_take_networks():
    from lazycore import SweepConfig, sweep

    for dynamics in ("gd", "sgd"):
        assert run(RunConfig(task="vector", dynamics=dynamics, steps=50)).status == "done"
    table = sweep(
        SweepConfig.from_text({"task": "vector", "alpha": "10:1000:3", "init_seed": "0:2"})
    )
    assert set(table.frame.status) == {"done"}
    assert table.frame.groupby("alpha").largest_gap.mean().is_monotonic_decreasing


def test_the_weighted_square_loss_has_the_curvatures_that_it_says():
    from lazycore.losses import weighted_square

    f, y = torch.randn(2, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    gradient = torch.func.grad(lambda u: weighted_square.per_point(u, y).sum())(f)
    torch.testing.assert_close(weighted_square.gradient(f, y), gradient)
    hessian = torch.func.hessian(lambda u: weighted_square.per_point(u[None], y[:1]).sum())(f[0])
    values = torch.linalg.eigvalsh(hessian)
    facts = weighted_square.SPEC.facts
    assert float(values[0]) == pytest.approx(facts["convexity"])
    assert float(values[-1]) == pytest.approx(facts["curvature"])
    one = torch.ones((2, 1), dtype=torch.float64)
    torch.testing.assert_close(weighted_square.per_point(3 * one, one), 2 * one[:, 0])
