"""Mini-batches with schedules, momentum and moved images, against plain loops with autograd."""

import itertools

import numpy as np
import pytest
import torch

from lazycore import compare, run
from lazycore.config import spec
from lazycore.config.run import RunConfig
from lazycore.dynamics import trajectory
from lazycore.dynamics.sgd import batches, measured_steps, step_sizes
from lazycore.engine.features.products import Products
from lazycore.engine.linear.tangent import FunctionSpace, ParameterSpace, batch_space, tangent_space
from lazycore.engine.paths.augmentation import pixel_maps
from lazycore.engine.problem.problem import build_problem
from lazycore.errors import ConfigError
from lazycore.running.lanes import run_lanes

CPU = torch.device("cpu")
SMALL = {
    "model": "cnn",
    "task": "digits",
    "n_train": 12,
    "n_test": 5,
    "width_multiplier": 0.2,
    "batch_size": 4,
    "batch_seed": 5,
    "steps": 8,
    "step_size": 0.05,
    "momentum": 0.9,
    "schedule": "inverse_time",
    "schedule_decay": 0.5,
}


def problem_of(**fields):
    """Return resolved values and the problem."""
    values = RunConfig.from_dict(SMALL | fields).resolve().to_dict()
    return values, build_problem(values, CPU)


def paths(values, problem):
    """Return α (w − w0) of both models after each step, by autograd on w itself, and the times."""
    network, w0, alpha = problem.network, problem.w0, values["alpha"]
    x, y, loss = problem.train.x, problem.targets, problem.loss
    image = spec.find("task", values["task"]).SPEC.facts["image"](values)
    found, times = [], [0.0]

    def model(which, w, points):
        if which == "network":
            out = network(w, points)
        else:
            h0, change = torch.func.jvp(lambda u: network(u, points), (w0,), (w - w0,))
            out = h0 + change
        return alpha * (out - network(w0, points) if problem.train.centered else out)

    for which in ("network", "tangent"):
        w, velocity = w0.clone(), torch.zeros_like(w0)
        stream = batches(len(x), values["batch_size"], values["batch_seed"])
        source = pixel_maps(image, False, values["batch_size"], values["batch_seed"])
        moves = [torch.zeros_like(w0)]
        for step, batch in zip(range(values["steps"]), stream, strict=False):
            points = x[batch]
            if values["augmentation"] != "none":
                padded = torch.cat([points, points.new_zeros(len(points), 1)], dim=1)
                points = padded.gather(1, torch.as_tensor(next(source)))
            epoch = step // (len(x) // values["batch_size"])
            decay = values["schedule_decay"] if values["schedule"] == "inverse_time" else 0.0
            eta = values["step_size"] / (1.0 + decay * epoch)
            u = w.clone().requires_grad_()
            risk = loss.per_point(model(which, u, points), y[batch]).mean() / alpha**2
            velocity = values["momentum"] * velocity + torch.autograd.grad(risk, u)[0]
            w = w - eta * velocity
            moves.append(alpha * (w - w0))
            if which == "network":
                times.append(times[-1] + eta)
        found.append(moves)
    return *found, times


FIELDS = [
    {},
    {"schedule": "constant", "schedule_decay": None, "alpha": 3.0},
    {"alpha": 10.0, "loss": "cross_entropy"},
    {"zero_output": "none", "momentum": 0.0},
    {"augmentation": "standard"},
    {"augmentation": "standard", "zero_output": "none", "alpha": 5.0, "loss": "cross_entropy"},
]


@pytest.mark.parametrize("fields", FIELDS, ids=[str(i) for i in range(len(FIELDS))])
@pytest.mark.parametrize("kept", [True, False])
def test_both_models_take_the_plain_steps_of_the_schedule(monkeypatch, fields, kept):
    if not kept:
        monkeypatch.setattr("lazycore.engine.networks.module_features.LARGEST_FACTORS", 0)
    values, problem = problem_of(**fields)
    assert isinstance(problem.train.features, Products) is not kept
    network, tangent, times = paths(values, problem)
    record = np.array([0, 1, 3, 8])
    found = list(trajectory(problem, values, record=record))
    assert [m.time for m in found] == pytest.approx([times[k] for k in record], rel=1e-14)
    for moment, k in zip(found, record, strict=True):
        for mine, theirs in ((moment.nonlinear, network[k]), (moment.linearized, tangent[k])):
            assert float((mine - theirs).norm()) <= 1e-9 * max(float(theirs.norm()), 1e-3)
    assert float((network[8] - tangent[8]).norm()) > 1e-6 * float(network[8].norm())


def test_the_step_size_falls_from_epoch_to_epoch():
    values = {"n_train": 10, "batch_size": 3, "step_size": 0.6, "schedule": "inverse_time"}
    values["schedule_decay"] = 1.0 / 3.0
    found = list(itertools.islice(step_sizes(values), 9))
    assert found == pytest.approx([0.6] * 3 + [0.45] * 3 + [0.36] * 3)
    constant = values | {"schedule": "constant", "schedule_decay": None}
    assert list(itertools.islice(step_sizes(constant), 9)) == [0.6] * 9


def test_measuring_all_points_takes_no_longer_than_training_them_thrice():
    """500 steps of 4 points, 120 points in all: 3 · 2000/120 = 50 times, both ends among them."""
    values = {"steps": 500, "batch_size": 4, "n_train": 80, "n_test": 40}
    found = measured_steps(values, costly=True)
    assert len(found) == 50 and (found[0], found[-1]) == (0, 500)
    assert len(measured_steps(values, costly=False)) > 120
    assert len(measured_steps(values | {"n_test": 10**6}, costly=True)) == 20


def test_the_linearised_model_moves_alike_at_every_large_alpha():
    moves = []
    for alpha in (1e3, 1e7):
        values, problem = problem_of(alpha=alpha)
        *_, last = trajectory(problem, values)
        moves.append((last.nonlinear, last.linearized))
    (near, first), (far, second) = moves
    assert torch.allclose(first, second, rtol=1e-12, atol=1e-15)
    assert float((far - second).norm()) < 1e-6 * float(second.norm())
    assert float((near - first).norm()) > float((far - second).norm())


def test_convolutions_are_stepped_in_parameter_space_and_dense_layers_as_before(monkeypatch):
    _, convolutional = problem_of()
    assert isinstance(batch_space(convolutional), ParameterSpace)
    config = RunConfig(task="digits", n_train=10, n_test=0, dynamics="sgd", width=20)
    dense = build_problem(config.resolve().to_dict(), CPU)
    assert isinstance(batch_space(dense), FunctionSpace)
    assert isinstance(tangent_space(convolutional), FunctionSpace)
    monkeypatch.setattr("lazycore.engine.networks.module_features.LARGEST_FACTORS", 0)
    _, too_large = problem_of()
    assert isinstance(tangent_space(too_large), ParameterSpace), "no kernel of what is not kept"


def test_moved_images_are_the_same_for_both_models_of_a_dense_network_too():
    fields = {"task": "digits", "dynamics": "sgd", "width": 10, "n_train": 12, "batch_size": 4}
    fields |= {"labels": "ten", "steps": 20, "n_test": 5, "augmentation": "standard"}
    gaps = []
    for alpha in (1e2, 1e4):
        result = run(RunConfig.from_dict(fields | {"alpha": alpha, "step_size": 0.05}))
        change = result.series["linearized.output_change"]
        gaps.append(result.series["gap.train_output"].max() / change.max())
    assert gaps[1] < 0.1 * gaps[0] < 0.1
    still = run(RunConfig.from_dict(fields | {"augmentation": "none", "step_size": 0.05}))
    other = run(RunConfig.from_dict(fields | {"step_size": 0.05}))
    assert still.series["nonlinear.train_loss"][-1] != other.series["nonlinear.train_loss"][-1]


def test_augmentation_of_points_that_are_no_images_is_refused():
    with pytest.raises(ConfigError, match="augmentation=standard is not read by task=circles"):
        RunConfig.from_dict({"task": "circles", "dynamics": "sgd", "augmentation": "standard"})


def test_a_costly_network_is_measured_less_often_and_still_at_both_ends():
    values = {"steps": 10_000, "n_train": 1000, "n_test": 0, "batch_size": 10}
    assert np.array_equal(measured_steps(values, False), measured_steps(values, True))
    few = measured_steps(values | {"n_train": 30_000}, True)
    assert len(few) == 20 and few[0] == 0 and few[-1] == 10_000
    assert len(measured_steps(values | {"steps": 5}, True)) == 6


def test_a_run_records_what_the_lazy_regime_of_convolutions_is_judged_by():
    rich, lazy = (run(RunConfig.from_dict(SMALL | {"alpha": a})) for a in (0.3, 1e7))
    for result in (rich, lazy):
        shares = result.series["activation_stability_by_layer"]
        assert shares.shape == (len(result.time), 3)
        assert np.allclose(shares.mean(1), result.series["activation_stability"])
        assert len(result.latest["spectrum"]) == 120 and result.latest["kernel_points"] == 12
        assert "lambda_max" not in result.latest and "frozen_gates.test_error" in result.latest
    assert lazy.series["activation_stability"][-1] == 1.0
    assert lazy.series["test_activation_stability"][-1] == 1.0
    assert rich.series["activation_stability"][-1] < 0.95
    assert rich.latest["frozen_gates.train_gap"] > 1e-3
    assert lazy.latest["frozen_gates.train_gap"] <= lazy.numerical_error
    gap = lazy.series["gap.train_output"].max()
    assert gap <= lazy.numerical_error < 1e-6 and lazy.verdict == "undecided"
    assert lazy.sparse["kernel_change"][-1] < 1e-6 < rich.sparse["kernel_change"][-1]


def test_the_rounding_of_single_precision_at_a_large_alpha_is_said():
    result = run(RunConfig.from_dict(SMALL | {"alpha": 1e7, "dtype": "float32"}))
    change = np.nanmax(result.series["linearized.output_change"])
    assert result.numerical_error > change and result.verdict == "undecided"


def test_a_step_size_that_is_not_given_is_found_and_then_its_eigenvalue_is_recorded():
    config = RunConfig.from_dict({k: v for k, v in SMALL.items() if k != "step_size"})
    values = config.resolve().to_dict() | {"step_size": None}
    problem = build_problem(values, CPU)
    from lazycore.engine.measures.metrics import Meter

    assert not Meter(problem).knows_largest_eigenvalue
    kernel = problem.train.anchor.kernel / 12
    assert problem.largest_eigenvalue == pytest.approx(float(torch.linalg.eigvalsh(kernel)[-1]))
    assert Meter(problem).knows_largest_eigenvalue


def test_lanes_of_convolutional_networks_are_the_runs_by_themselves():
    configs = [RunConfig.from_dict(SMALL | {"alpha": a, "batch_seed": a}) for a in (1, 100)]
    for number, result in run_lanes(configs, device="cpu"):
        alone = run(configs[number])
        for name, values in alone.series.items():
            assert np.allclose(result.series[name], values, rtol=1e-9, atol=1e-12), name
        assert result.verdict == alone.verdict


def test_a_module_of_ones_own_has_the_stability_of_its_activation_modules():
    rng = np.random.default_rng(0)
    x, y = (torch.as_tensor(rng.standard_normal(shape)) for shape in ((8, 3), (8, 1)))
    module = torch.nn.Sequential(
        torch.nn.Linear(3, 6), torch.nn.ReLU(), torch.nn.Linear(6, 1)
    ).double()
    found = compare(module, x, y, steps=20, step_size=0.5, alpha=0.3)
    shares = found.series["activation_stability"]
    assert shares[0] == 1.0 > shares[-1] > 0.0
    assert found.latest["kernel_points"] == 8
