"""The rule of Geiger et al. against a plain loop in the convention of the authors' code."""

import itertools
from dataclasses import replace

import numpy as np
import oracle
import pytest
import torch

from lazycore.config.run import RunConfig
from lazycore.dynamics import trajectory
from lazycore.engine.paths.euler import KINK, RETRIES, ROUNDING, Mover, Walk
from lazycore.engine.problem.problem import build_problem
from lazycore.running.run import choose_scales, run
from lazycore.theory import lazy

WIDTH, BETA, EPS_GRADIENT, EPS_OUTPUT = 6, 20.0, 2e-2, 0.05
CONFIG = RunConfig.from_dict(
    {
        "task": "teacher",
        "dim": 4,
        "n_train": 6,
        "n_test": 0,
        "width": WIDTH,
        "activation": "softplus",
        "loss": "soft_hinge",
        "dynamics": "adaptive_euler",
        "gradient_tolerance": EPS_GRADIENT,
        "output_tolerance": EPS_OUTPUT,
        "stop": "margins",
        "seed": 3,
    }
)
MODELS = ("nonlinear", "linearized")


def plain_rule(s):
    """Return (t_c, F) at every step of the rule for α_c (f_c − f_c0), f_c = h^{-1/2} f, from
    Δt = 1, up to the first step at which all margins are met."""
    alpha, w, dt, time = WIDTH**0.5 * s.alpha, s.w0.clone(), 1.0, 0.0
    start = s.h(s.w0, s.x)

    def outputs(w):
        return alpha * (s.h(w, s.x) - start) / WIDTH**0.5

    def loss(w):
        per_point = torch.nn.functional.softplus(1.0 - s.y * outputs(w), beta=BETA, threshold=700)
        return per_point.mean() / alpha

    gradient = torch.func.grad(loss)
    f, g = outputs(w), gradient(w)
    yield time, f
    while not bool((s.y * f >= 1.0).all()):
        new = w - dt * g
        f2, g2 = outputs(new), gradient(new)
        turned = float((g - g2).norm() ** 2 / (g.norm() * g2.norm()))
        moved = float((f - f2).abs().max())
        if turned < EPS_GRADIENT and moved < EPS_OUTPUT:
            time, w, f, g = time + dt, new, f2, g2
            yield time, f
            if turned < 0.5 * EPS_GRADIENT and moved < 0.5 * EPS_OUTPUT:
                dt *= 1.1
        else:
            dt /= 10.0


@pytest.mark.parametrize("alpha", [0.02, 1.0, 100.0])
def test_every_step_is_that_of_the_authors_code_in_its_own_convention(alpha):
    config = replace(CONFIG, alpha=alpha)
    s = oracle.setting(config)
    walked = list(plain_rule(s))
    times = np.array([lazy.from_code(width=WIDTH, said=said(alpha, t))[1] for t, _ in walked])
    values = config.resolve().to_dict()
    problem = build_problem(values, torch.device("cpu"))
    scales = choose_scales(problem, values)
    record = np.append(times, scales["time"])
    found = list(trajectory(problem, values | scales, record=record))
    assert len(found) >= len(times)
    for moment, time, (_, outputs) in zip(found, times, walked, strict=False):
        assert moment.time == pytest.approx(time, rel=1e-9)
        assert torch.allclose(
            problem.train.outputs(moment.nonlinear), outputs, rtol=1e-6, atol=1e-9
        )
    ended = next(moment for moment in found if "nonlinear" in moment.met)
    assert ended.time == pytest.approx(times[-1], rel=1e-9)


def said(alpha, time):
    """Return a time of the code, with the α_c that goes with it."""
    return lazy.CodeConvention(alpha=WIDTH**0.5 * alpha, time=time, loss=0.0, kernel=0.0)


@pytest.mark.parametrize("alpha", [0.02, 100.0])
def test_its_end_and_its_error_agree_with_those_of_the_flow(alpha):
    euler = run(replace(CONFIG, alpha=alpha), device="cpu")
    finer = run(replace(CONFIG, alpha=alpha, extra=(("gradient_tolerance", 1e-5),)), device="cpu")
    flow = {name: CONFIG.given()[name] for name in ("task", "dim", "n_train", "n_test", "width")}
    flow |= {"activation": "softplus", "loss": "soft_hinge", "stop": "margins", "seed": 3}
    exact = run(RunConfig.from_dict(flow | {"alpha": alpha, "tolerance": 1e-5}), device="cpu")
    for name in MODELS:
        stop = exact.latest[f"{name}.stop_time"]
        assert euler.latest[f"{name}.stop_time"] == pytest.approx(stop, rel=0.1)
        assert finer.latest[f"{name}.stop_time"] == pytest.approx(stop, rel=0.01)
    end = min(euler.latest[f"{name}.stop_time"] for name in MODELS) * 0.9
    gaps = [
        np.interp(end, r.time[: len(g)], g)
        for r in (euler, exact)
        for g in [r.series["gap.train_output"][np.isfinite(r.series["gap.train_output"])]]
    ]
    assert abs(gaps[0] - gaps[1]) <= euler.numerical_error


def test_kinks_do_not_hold_it_up():
    fields = CONFIG.given() | {"activation": "relu", "alpha": 0.1, "gradient_tolerance": 1e-4}
    found = run(RunConfig.from_dict(fields), device="cpu")
    assert found.status == "done" and found.latest["diagnosis"] == KINK


def test_a_run_on_its_budget_of_gradients_ends_with_what_it_has():
    values = CONFIG.resolve().to_dict()
    problem = build_problem(values, torch.device("cpu"))
    scales = choose_scales(problem, values)
    found = list(trajectory(problem, values | scales, limit=40))
    assert len(found) > 1 and found[-1].progress < 1.0 and not found[-1].met


def walk_of(look):
    """Return a walk of one weight whose gradient and output are `look(y)`, without a network."""
    values = CONFIG.resolve().to_dict()
    problem = build_problem(values, torch.device("cpu"))
    zero = torch.zeros(1, dtype=torch.float64)
    movers = {
        name: Mover(look, lambda a, b: float(a @ b), zero, zero, *look(zero)) for name in MODELS
    }
    return Walk(problem, movers, 1e-3, 0.1, step=1.0, end=10.0, margin=None, limit=1e6)


def test_outputs_that_move_by_their_rounding_end_it_with_that_diagnosis():
    noise = itertools.count()
    walk = walk_of(lambda y: (torch.ones(1).double(), torch.tensor([[float(next(noise))]])))
    assert list(walk.steps()) == [] and walk.diagnosis == ROUNDING
    assert walk.evaluations == RETRIES + 1


def test_a_gradient_that_jumps_where_none_should_ends_it_with_that_diagnosis():
    walk = walk_of(lambda y: (torch.sign(y - 1e-30) * 1.0, y[None] * 0.0))
    taken = len(list(walk.steps()))
    assert walk.diagnosis == KINK and walk.time < walk.end and taken < 10
