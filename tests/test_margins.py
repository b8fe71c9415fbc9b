"""Runs that end where the margins are met, against integrations of the plain formulas."""

import math
from dataclasses import replace

import numpy as np
import oracle
import pytest
import torch
from scipy.integrate import solve_ivp

from lazycore.config.moments import spaced_times
from lazycore.config.run import RunConfig
from lazycore.engine.measures.recording import UNMET, HalfTime
from lazycore.engine.steppers.crossing import located
from lazycore.results.quantities import measure
from lazycore.results.run import RunResult
from lazycore.running.lanes import run_lanes
from lazycore.running.run import run

FIELDS = {
    "task": "teacher",
    "dim": 4,
    "n_train": 6,
    "n_test": 6,
    "width": 6,
    "activation": "softplus",
    "loss": "soft_hinge",
    "dynamics": "flow",
    "stop": "margins",
    "tolerance": 1e-4,
    "seed": 3,
}
TINY = RunConfig.from_dict(FIELDS)
MODELS = ("nonlinear", "linearized")


def first_time(s, model):
    """Return the first time with y f ≥ 1 on all points, and at half the loss, by LSODA."""

    def field(_, w):
        return -torch.func.grad(s.objective(model))(torch.from_numpy(w)).numpy()

    def smallest(w):
        return float((s.alpha * model(torch.from_numpy(w), s.x) * s.y).min())

    def loss(w):
        return s.alpha**2 * float(s.objective(model)(torch.from_numpy(w)))

    half = 0.5 * loss(s.w0.numpy())
    events = [lambda _, w: smallest(w) - 1.0, lambda _, w: loss(w) - half]
    events[0].terminal = True
    solved = solve_ivp(
        field, (0.0, 1e6), s.w0.numpy(), "LSODA", events=events, rtol=1e-7, atol=1e-10
    )
    return float(solved.t_events[0][0]), float(solved.t_events[1][0])


@pytest.mark.parametrize("alpha", [0.02, 100.0])
def test_both_models_of_a_flow_end_where_a_plain_integration_meets_the_margins(alpha):
    config = replace(TINY, alpha=alpha)
    found, s = run(config, device="cpu"), oracle.setting(config)
    assert found.status == "done" and "diagnosis" not in found.latest
    for name, model in zip(MODELS, (s.h, s.h_bar), strict=True):
        stop, half = first_time(s, model)
        assert found.latest[f"{name}.stop_time"] == pytest.approx(stop, rel=3e-3)
        assert found.latest[f"{name}.half_time"] == pytest.approx(half, rel=1e-2), "interpolated"
        there = np.isfinite(found.series[f"{name}.train_loss"])
        assert found.time[there][-1] == found.latest[f"{name}.stop_time"]
        assert there[: there.sum()].all(), "no entries after the end, all before it"
    both = np.isfinite(found.series["gap.train_output"])
    assert found.time[both][-1] == min(found.latest[f"{name}.stop_time"] for name in MODELS)


def test_the_last_kernel_is_that_of_the_end_of_the_network():
    found = run(replace(TINY, alpha=0.02), device="cpu")
    assert found.latest["nonlinear.stop_time"] < 0.1 * found.latest["linearized.stop_time"]
    assert found.kernel_time[-1] == found.latest["nonlinear.stop_time"]
    numbers = measure(found)
    assert numbers["stop_time"] == found.latest["nonlinear.stop_time"]
    assert numbers["kernel_change"] == found.sparse["kernel_change"][-1]
    there = np.isfinite(found.series["nonlinear.test_error"])
    assert numbers["final_test_error"] == found.series["nonlinear.test_error"][there][-1]
    assert numbers["scaled_half_time"] == pytest.approx(numbers["half_time"] / 0.02 / 6**0.5)
    again = RunResult.from_bytes(found.to_bytes()).to_dict()
    assert again["nonlinear"]["train_loss"][-1] is None
    assert again["linearized"]["train_loss"][-1] is not None
    assert again["nonlinear"]["stop_time"] == numbers["stop_time"]


def test_lanes_that_end_at_times_of_their_own_are_the_single_runs():
    configs = [replace(TINY, alpha=alpha) for alpha in (0.05, 1.0, 30.0)]
    for number, found in run_lanes(configs, device="cpu"):
        alone = run(configs[number], device="cpu")
        assert found.status == "done"
        for name in MODELS:
            stop = alone.latest[f"{name}.stop_time"]
            assert found.latest[f"{name}.stop_time"] == pytest.approx(stop, rel=1e-3)


def test_a_flow_that_comes_to_the_end_of_its_time_says_that_its_margins_are_not_met():
    found = run(replace(TINY, time=0.5), device="cpu")
    assert found.status == "budget" and found.latest["diagnosis"] == UNMET
    assert found.time[-1] == 0.5
    assert found.to_dict()["nonlinear"]["stop_time"] is None
    assert math.isnan(measure(found)["stop_time"])


def test_margins_are_none_of_the_business_of_a_run_that_does_not_stop():
    found = run(replace(TINY, stop=None, time=0.5), device="cpu")
    assert found.status == "done" and found.latest.get("nonlinear.stop_time") is None
    assert len(found.time) == 201


@pytest.mark.parametrize("alpha", [1.0, 50.0])
def test_descent_ends_at_the_first_step_at_which_the_plain_iteration_meets_its_margins(alpha):
    config = replace(TINY, alpha=alpha, dynamics="gd", steps=1000, step_size=3.0, tolerance=None)
    found, s = run(config, device="cpu"), oracle.setting(config)
    assert found.status == "done"
    for name, model in zip(MODELS, (s.h, s.h_bar), strict=True):
        walk = oracle.descend(s.objective(model), s.w0, 3.0)
        steps = next(
            k for k, w in enumerate(walk) if float((s.alpha * model(w, s.x) * s.y).min()) >= 1
        )
        assert found.latest[f"{name}.stop_time"] == pytest.approx(3.0 * steps, rel=1e-12)


def test_stochastic_descent_ends_where_it_is_seen_to_have_met_its_margins():
    config = replace(TINY, dynamics="sgd", steps=1000, step_size=3.0, tolerance=None, batch_size=4)
    found = run(config, device="cpu")
    assert found.status == "done" and found.time[-1] < 3.0 * 1000
    assert {found.latest[f"{name}.status"] for name in MODELS} == {"done"}
    short = run(replace(config, steps=5), device="cpu")
    assert short.status == "budget" and short.latest["diagnosis"] == UNMET


def test_the_half_time_is_exact_for_a_loss_that_is_linear_in_the_logarithm_of_time():
    half = HalfTime()
    seen = [
        half.at(time, loss) for time, loss in [(0.0, 4.0), (1.0, 3.0), (100.0, 1.0), (200.0, 3.0)]
    ]
    assert seen == [None, None, pytest.approx(10.0), pytest.approx(10.0)]
    early = HalfTime()
    early.at(0.0, 4.0)
    assert early.at(1.0, 0.0) == pytest.approx(0.5), "between 0 and a time there is no logarithm"
    assert HalfTime().at(0.0, 0.0) is None


def test_an_end_is_located_from_above():
    for root in (1e-8, 0.3, 0.999):
        found = located(lambda t, root=root: (t - root) * (1.0 + 50.0 * t), 0.0, 1.0)
        assert root <= found <= root * (1.0 + 1e-8)
    assert located(lambda t: 1.0, 0.2, 1.0) == 0.2
    assert located(lambda t: -1e-16, 0.2, 1.0) == 1.0


def test_spaced_times_have_one_ratio_and_end_with_the_run():
    times = spaced_times(1e-3, 2.0, 25)
    assert times[0] == 0.0 and times[1] == pytest.approx(1e-3) and times[-1] == 2.0
    ratios = times[2:] / times[1:-1]
    assert np.allclose(ratios, ratios[0]) and ratios[0] == pytest.approx(10 ** (1 / 25), rel=0.02)
