"""Steps along the linearised flow: against the stabilised method, and what they are made of."""

import math

import pytest
import torch
from test_handover import followed

from lazycore.config.moments import MODELS, Moment
from lazycore.config.run import RunConfig
from lazycore.engine.linear.tangent import tangent_space
from lazycore.engine.paths import until_margins
from lazycore.engine.problem.problem import build_problem
from lazycore.engine.steppers import inner_steps
from lazycore.engine.steppers.chebyshev import Chebyshev
from lazycore.engine.steppers.handover import Lazy
from lazycore.engine.steppers.inner_steps import Node
from lazycore.engine.steppers.path import Path
from lazycore.engine.steppers.tangent_steps import TangentSteps, pays

torch.set_num_threads(1)

FIELDS = {
    "task": "digits",
    "model": "fully_connected",
    "depth": 2,
    "width": 20,
    "activation": "softplus",
    "loss": "soft_hinge",
    "dynamics": "flow",
    "stop": "margins",
    "n_train": 30,
    "n_test": 0,
    "tolerance": 0.01,
    "alpha": 1e3,
}


def run_of(**fields) -> RunConfig:
    return RunConfig.from_dict(FIELDS | fields)


def by(monkeypatch, tangent: bool, *configs: RunConfig) -> list[list[Moment]]:
    """Return the moments of these runs by these steps, or by the stabilised method."""
    monkeypatch.setattr(until_margins, "pays", lambda space: tangent)
    return followed(*configs)


# ── the whole ────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"alpha": 1e7},
        {"alpha": 300.0, "width": 60},
        {"n_train": 60},
        {"alpha": 1e4, "activation": "tanh", "init_scale": 0.7},
    ],
    ids=str,
)
def test_they_take_the_way_of_the_stabilised_method_with_far_fewer_gradients(monkeypatch, fields):
    config = run_of(**fields)
    (few,), (many,) = by(monkeypatch, True, config), by(monkeypatch, False, config)
    assert few[-1].met == many[-1].met == MODELS
    # From 2.44 times on: which library multiplies moves these counts by some percent.
    assert 2.3 * few[-1].steps < many[-1].steps
    assert gaps_apart(config, few, many) <= few[-1].error + many[-1].error


def gaps_apart(config: RunConfig, one: list[Moment], other: list[Moment]) -> float:
    """Return by how much the gap of two ways to follow a run differs, at most, at equal times."""
    problem = build_problem(config.resolve().to_dict(), torch.device("cpu"))
    train, found = problem.train, 0.0
    for a, b in zip(one, other, strict=True):
        if not a.met and not b.met:
            assert a.time == b.time
            gaps = [
                train.outputs(m.nonlinear) - train.tangent_outputs(m.linearized) for m in (a, b)
            ]
            found = max(found, float((gaps[0] - gaps[1]).square().mean().sqrt()))
    return found


def test_the_ends_are_those_of_a_far_finer_flow(monkeypatch):
    (found,) = by(monkeypatch, True, run_of())
    (wanted,) = by(monkeypatch, False, run_of(tolerance=1e-5))
    assert found[-1].time == pytest.approx(wanted[-1].time, rel=2e-4)


@pytest.mark.parametrize("fields", [{}, {"width": 100, "n_train": 100, "tolerance": 0.1}], ids=str)
def test_a_path_that_is_not_lazy_is_left_to_the_stabilised_method(monkeypatch, fields):
    config = run_of(alpha=1.0, **fields)
    (found,), (wanted,) = by(monkeypatch, True, config), by(monkeypatch, False, config)
    assert found[-1].steps > 0.7 * wanted[-1].steps
    assert gaps_apart(config, found, wanted) <= found[-1].error + wanted[-1].error


def test_runs_that_go_together_are_those_of_each_alone(monkeypatch):
    configs = [run_of(alpha=alpha, init_seed=seed) for alpha in (100.0, 1e4) for seed in (0, 1)]
    together = by(monkeypatch, True, *configs)
    for config, found in zip(configs, together, strict=True):
        (wanted,) = by(monkeypatch, True, config)
        assert found[-1].steps == pytest.approx(wanted[-1].steps, rel=0.1)
        assert gaps_apart(config, found, wanted) <= 0.5 * wanted[-1].error


def test_a_convolutional_network_is_followed_too(monkeypatch):
    fields = {
        "task": "fashion_mnist",
        "model": "strided_cnn",
        "width": 3,
        "n_train": 12,
        "alpha": 1e6,
    }
    given = {k: v for k, v in FIELDS.items() if k != "depth"} | fields
    config = RunConfig.from_dict(given)
    (few,), (many,) = by(monkeypatch, True, config), by(monkeypatch, False, config)
    assert 2.5 * few[-1].steps < many[-1].steps
    assert gaps_apart(config, few, many) <= few[-1].error + many[-1].error


# ── where they are of use ────────────────────────────────────────────────────────────────
def test_they_are_taken_where_gradients_are_dear_and_outputs_few():
    def answer(**fields) -> bool:
        values = run_of(**fields).resolve().to_dict()
        return pays(tangent_space(build_problem(values, torch.device("cpu"))))

    assert answer(width=100, n_train=100) and not answer(width=20)
    assert not answer(width=100, n_train=100, activation="relu")
    assert not answer(width=100, n_train=100, dtype="float32")


def test_the_method_is_chosen_by_what_comes_first(monkeypatch):
    space = tangent_space(build_problem(run_of().resolve().to_dict(), torch.device("cpu")))
    monkeypatch.setattr(until_margins, "pays", lambda space: True)
    assert until_margins._method(space, math.inf, 1.0) is Lazy
    monkeypatch.setattr(until_margins, "pays", lambda space: False)
    assert until_margins._method(space, math.inf, 1.0) is Chebyshev


# ── the inner steps ──────────────────────────────────────────────────────────────────────
def test_an_inner_step_is_one_of_the_stabilised_method():
    rates = torch.tensor([1.0, 30.0, 400.0], dtype=torch.float64)
    y = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    node = inner_steps.step(lambda _, a: rates * a, Node(0.0, y, rates * y), 0.3, 400.0, None)

    class Linear:
        head, known_radius = 0, [400.0]

        def gradient(self, y):
            return rates * y, None

        def select(self, rows):
            return self

        first = select

    stepper = Chebyshev(Linear(), [Path(y, 1.0, 0.3, lambda time: 0.0)])
    stepper._radius = [400.0]
    wanted, _, _ = stepper._attempt(Linear(), [0], [0.3])
    assert torch.allclose(node.a, wanted[0], rtol=1e-12)
    assert node.time == pytest.approx(0.3)


def test_an_inner_step_knows_the_time_of_its_stages():
    """y' = t is followed exactly by a method of order 2, whatever the number of stages."""
    zero = torch.zeros(1, dtype=torch.float64)
    for rate in (1.0, 50.0, 5000.0):
        node = Node(2.0, zero, torch.full_like(zero, -2.0))
        found = inner_steps.step(lambda t, a: torch.full_like(a, -t), node, 0.5, rate, None)
        assert float(found.a) == pytest.approx(0.5 * (2.5**2 - 2.0**2), rel=1e-12)


def test_between_the_ends_of_a_step_the_path_is_the_one_it_took(monkeypatch):
    """At a node of the inner steps nothing is interpolated but the defect, which is a line."""
    seen = []
    whole = TangentSteps._accepted

    def accepted(self, row, i):
        whole(self, row, i)
        bridge, path = self._bridges[row], self.paths[row]
        start = path.previous[1][: len(path.y) - self._tangents[row].space.size]
        end = bridge.position(self._tangents[row].space, start, bridge.h)
        seen.append(float((end - path.y).norm() / path.y.norm()))

    monkeypatch.setattr(TangentSteps, "_accepted", accepted)
    by(monkeypatch, True, run_of())
    assert len(seen) > 20 and max(seen) < 1e-12
