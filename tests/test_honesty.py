"""`numerical_error` is not smaller than what the gap is off by, whatever rounding grows to."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lazycore import compare, run
from lazycore.config.run import RunConfig
from lazycore.dynamics import trajectory
from lazycore.engine.measures.recording import choose_scales
from lazycore.engine.paths.descent import NetworkDescent
from lazycore.engine.paths.twins import twin
from lazycore.engine.problem.problem import build_problem
from lazycore.engine.problem.stacked import stack
from lazycore.engine.steppers.onset import onset
from lazycore.engine.steppers.pair import natural_time, path
from lazycore.papers.ours.claims import honesty

torch.set_num_threads(1)
SMALL: dict[str, Any] = {"task": "teacher", "n_train": 12, "n_test": 0, "dim": 4, "width": 16}
RICH: dict[str, Any] = {
    "task": "digits",
    "n_train": 20,
    "n_test": 0,
    "width": 20,
    "alpha": 0.1,
    "dynamics": "gd",
}


def set_up(config: RunConfig):
    """Return the problem of this config, and its fields with the step or time chosen."""
    values = config.resolve().to_dict()
    problem = build_problem(values, torch.device("cpu"))
    return problem, values | choose_scales(problem, values)


def module(dtype: torch.dtype) -> nn.Module:
    torch.manual_seed(1)
    layers = nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1)
    return nn.Sequential(*layers).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_chaotic_run_with_its_points_in_another_order_is_within_its_error(dtype):
    net, generator = module(dtype), torch.Generator().manual_seed(2)
    x = torch.randn(20, 6, generator=generator, dtype=dtype)
    y = torch.randn(20, generator=generator, dtype=dtype)
    order = torch.randperm(20, generator=generator)
    one = compare(net, x, y, alpha=0.3, steps=600)
    step = float(one.latest["step_size"])
    other = compare(net, x[order], y[order], alpha=0.3, steps=600, step_size=step)
    gaps = [result.series["gap.train_output"] for result in (one, other)]
    apart = np.nanmax(np.abs(gaps[0] - gaps[1]))
    assert apart > 1e4 * torch.finfo(dtype).eps
    assert apart <= one.numerical_error


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rounding_that_grows_in_a_rich_run_is_in_its_error(dtype):
    found = honesty.honest(RunConfig(**RICH, activation="tanh", steps=600, dtype=dtype), 3.0)
    assert found.moved <= found.stated


def test_a_stable_lazy_run_states_no_more_than_the_rounding_floor():
    config = RunConfig(**SMALL, activation="tanh", alpha=1e3, dynamics="gd", steps=300)
    problem, values = set_up(config)
    *_, last = trajectory(problem, values)
    result = run(config)
    change = float(np.nanmax(result.series["linearized.output_change"]))
    change = max(change, float(np.nanmax(result.series["nonlinear.output_change"])))
    floor = problem.rounding_floor + 16 * 2.0**-52 * 300**0.5 * change
    assert last.rounding is not None and 0.0 < last.rounding <= floor
    assert result.numerical_error == pytest.approx(floor, rel=1e-12, abs=0.0)


def test_a_linearisation_beyond_the_edge_of_stability_carries_its_rounding_on():
    config = RunConfig(**SMALL, activation="tanh", alpha=1.6, dynamics="gd", steps=120)
    found = honesty.honest(config, 2.5)
    assert 0.0 < found.moved <= found.stated


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_tighter_flow_of_deep_symmetrised_networks_is_within_the_error(activation):
    deep = {"model": "fully_connected", "depth": 5, "zero_output": "symmetrized"}
    found = honesty.honest(RunConfig(**SMALL, **deep, activation=activation, alpha=9400.0), 0.2)
    assert 0.0 < found.tighter <= found.stated
    assert found.moved <= found.stated


def test_a_short_flow_does_not_take_the_same_steps_twice():
    fields: dict[str, Any] = {
        "task": "digits",
        "labels": "ten",
        "loss": "cross_entropy",
        "n_train": 8,
        "n_test": 0,
    }
    fields |= {"model": "fully_connected", "width": 14, "activation": "swish", "seed": 1343511219}
    fields |= {"scaling": "mean_field", "zero_output": "none", "alpha": 328.0, "init_scale": 1.4}
    found = honesty.honest(RunConfig(**fields, dynamics="flow"), 0.0209)
    assert 0.0 < found.tighter <= found.stated


def test_steps_of_a_flow_may_be_as_short_as_the_onset_of_its_network():
    # Mean-field, five layers: its linearisation needs a time of 10⁹, itself 10⁵ to move.
    config, factor = honesty.drawn(np.random.default_rng([49, 1, 1]), "flow", "float32")
    problem, values = set_up(config)
    end = factor * float(values["time"])
    quickest = onset(problem, end)
    assert quickest < 1e-4 * natural_time(problem, end)
    shown = path(problem, 0, end, 1e-3, 1.0, limit=1.0, quickest=quickest)
    assert shown.floor(0.5 * end) == pytest.approx(1e-6 * quickest, rel=1e-12)


def test_a_flow_that_ends_on_a_rise_states_what_it_is_off_by_there():
    found = honesty.honest(*honesty.drawn(np.random.default_rng([229, 1, 0]), "flow", "float64"))
    assert 0.0 < found.tighter <= found.stated


@pytest.mark.parametrize("dynamics", ["gd", "flow"])
def test_what_the_check_judges_is_what_a_run_states(dynamics):
    steps: dict[str, Any] = {"steps": 60} if dynamics == "gd" else {"time": 20.0}
    config = RunConfig(**SMALL, dynamics=dynamics, **steps)
    stated = honesty.honest(config).stated
    assert run(config).numerical_error == pytest.approx(stated, rel=1e-9, abs=0.0)


@pytest.mark.parametrize("more", [{}, {"dtype": "float32"}, {"momentum": 0.9}])
def test_twins_leave_the_run_as_it_is_to_the_bit(more):
    problem, values = set_up(RunConfig(**SMALL, dynamics="gd", steps=50, alpha=0.3, **more))
    *_, last = trajectory(problem, values)
    alone = NetworkDescent(
        stack([problem]), problem.w0, [values["step_size"]], [values["momentum"]]
    )
    alone.advance(50)
    assert last.nonlinear is not None and torch.equal(last.nonlinear, alone.position[0])


@pytest.mark.parametrize("dynamics", ["sgd", "population", "adaptive_euler"])
def test_other_dynamics_look_at_how_far_rounding_carries_too(dynamics):
    bounds: dict[str, Any] = {"time": 10.0} if dynamics == "adaptive_euler" else {"steps": 100}
    result = run(RunConfig(**SMALL, dynamics=dynamics, alpha=0.1, **bounds))
    assert result.latest["rounding"] == "measured"


def test_margins_met_by_steps_are_measured_with_their_rounding():
    fields = SMALL | {"loss": "quadratic_hinge", "stop": "margins", "steps": 400, "alpha": 0.1}
    result = run(RunConfig(**fields, dynamics="gd"))
    assert result.latest["rounding"] == "measured"


def test_a_deep_convolutional_network_under_sgd_says_that_its_rounding_is_assumed():
    fields = {"task": "digits", "model": "vgg11", "width_multiplier": 0.1, "n_train": 8}
    fields |= {"n_test": 0, "steps": 3}
    problem, values = set_up(RunConfig(**fields, dynamics="sgd", batch_size=4))
    *_, last = trajectory(problem, values)
    assert last.rounding is None and last.error == problem.rounding_floor


def test_a_twin_differs_by_roundings_of_its_weights_and_starts_where_the_run_does():
    problem, _ = set_up(RunConfig(**SMALL, zero_output="none", alpha=50.0))
    other = twin(problem)
    apart = (other.w0 / problem.w0 - 1.0).abs() / 2.0**-52
    assert float(apart.min()) >= 14.0 and float(apart.max()) <= 18.0
    assert torch.equal(other.train.start, problem.train.start)
    assert not torch.equal(twin(problem, 1).w0, other.w0)


def test_ten_random_runs_of_steps_state_what_they_are_off_by():
    for dtype in ("float64", "float32"):
        (row,) = honesty.rows("gd", dtype, honesty.FEW)
        assert row.passed, row


@pytest.mark.slow
def test_ten_random_flows_state_what_they_are_off_by():
    for dtype in ("float64", "float32"):
        assert all(row.passed for row in honesty.rows("flow", dtype, honesty.FEW))
